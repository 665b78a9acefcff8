"""The stand-in on a socket. The standard library's server is used on purpose: faults need the bare connection."""

from __future__ import annotations

import logging
import socket
import threading
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from wecom.standin import control_api, pages, wecom_api
from wecom.standin.call import LARGEST_BODY, Call, read_body
from wecom.standin.errors import ApiError, BrokenAnswer, ConnectionDropped, ControlError
from wecom.standin.web import Request, Response, html_response, json_response
from wecom.standin.world import World

logger = logging.getLogger(__name__)

API_PREFIX = "/cgi-bin/"
STOP_SECONDS = 0.05  # how often it looks whether it is to stop


class StandinServer(ThreadingHTTPServer):
    """Listens as soon as it is made; ``serve_forever`` answers. Raises OSError when the port is taken."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, world: World) -> None:
        super().__init__((world.options.host, world.options.port), Handler)
        self.world = world

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def start_in_background(self) -> None:
        """Serves from a thread and starts the sender of callbacks; ``stop`` ends both."""
        self.world.sender.start()
        threading.Thread(target=self.serve_forever, args=(STOP_SECONDS,), name="standin", daemon=True).start()

    def run(self) -> None:
        """Serves until another thread calls ``shutdown``, then closes everything."""
        self.world.sender.start()
        try:
            self.serve_forever(STOP_SECONDS)
        finally:
            self.server_close()
            self.world.close()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.world.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet, or keep-alive clients wait for a delayed ACK
    server: StandinServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        logger.debug(format, *args)

    def _serve(self) -> None:
        request = self._read()
        if request is None:
            return
        try:
            response = _respond(self.server.world, request)
        except ConnectionDropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        except BrokenAnswer as broken:
            response = html_response(f"<html><h1>{broken.status}</h1></html>", broken.status)
        self._send(response)
        if response.after_sent:
            response.after_sent()

    def _read(self) -> Request | None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > 4 * LARGEST_BODY:
            self.close_connection = True
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length.isdigit() else HTTPStatus.BAD_REQUEST)
            return None
        address = urlsplit(self.path)
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        return Request(
            method=self.command,
            path=address.path,
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            body=self.rfile.read(int(length)),
            client_ip=str(self.client_address[0]),
            cookies={name: morsel.value for name, morsel in cookies.items()},
        )

    def _send(self, response: Response) -> None:
        try:
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            for name, value in response.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)
            self.wfile.flush()
        except OSError as error:  # the client gave up waiting; what it asked for has happened
            self.close_connection = True
            logger.info("Answer to %s was not read: %s", self.path, error)


def _respond(world: World, request: Request) -> Response:
    try:
        return _route(world, request)
    except ControlError as error:
        if request.path.startswith(("/standin/", API_PREFIX)):
            return json_response({"error": error.message}, error.status)
        return pages.error_page(error)
    except (ConnectionDropped, BrokenAnswer):
        raise
    except Exception:
        logger.exception("The stand-in failed on %s %s", request.method, request.path)
        return json_response({"error": "the stand-in failed; its log has the traceback"}, 500)


def _route(world: World, request: Request) -> Response:
    if request.path.startswith(API_PREFIX):
        return _call_wecom(world, request)
    if request.path == "/standin/health":
        return json_response({"status": "ok"})
    if request.path.startswith("/standin/api/"):
        return control_api.respond(world, request)
    return pages.respond(world, request)


def _call_wecom(world: World, request: Request) -> Response:
    endpoint = request.path.removeprefix(API_PREFIX)
    if endpoint not in wecom_api.ROUTES:
        raise ControlError(404, f"the stand-in does not know {endpoint}")
    call = Call(endpoint, request.method, request.query, {}, request.client_ip)
    try:
        call.body, call.wrong_json = read_body(request.body)
    except ApiError as error:
        return json_response({"errcode": error.errcode, "errmsg": error.message(request.client_ip)})
    try:
        result = wecom_api.answer(world, call)
    except (ConnectionDropped, BrokenAnswer):
        world.events.answered(call.after_answer)  # accepted, though nobody will be told
        raise
    return json_response(result, after_sent=lambda: world.events.answered(call.after_answer))
