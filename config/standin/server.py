"""A stand-in on a socket. The standard library's server is used on purpose: faults need the bare connection."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from config.standin.errors import BrokenAnswer, ConnectionDropped, ControlError
from config.standin.web import Request, Response, html_response, json_response

logger = logging.getLogger(__name__)

LARGEST_REQUEST = 4 << 20
STOP_SECONDS = 0.05  # how often it looks whether it is to stop


class Server(ThreadingHTTPServer):
    """Listens as soon as it is made; ``run`` answers. Raises OSError when the port is taken.

    A stand-in says what it answers in ``respond`` and ``refusal``, and what begins and ends with it.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, host: str, port: int) -> None:
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def respond(self, request: Request) -> Response:
        """May raise ControlError, and ConnectionDropped or BrokenAnswer for an answer that is spoiled on purpose."""
        raise NotImplementedError

    def refusal(self, request: Request, error: ControlError) -> Response:
        """What a ControlError looks like there."""
        return json_response({"error": error.message}, error.status)

    def begin(self) -> None:
        """Before the first answer."""

    def end(self) -> None:
        """After the last one."""

    def start_in_background(self) -> None:
        """Serves from a thread; ``stop`` ends it."""
        self.begin()
        threading.Thread(target=self.serve_forever, args=(STOP_SECONDS,), name="standin", daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.end()

    def run(self) -> None:
        """Serves from the main thread until SIGINT or SIGTERM, then closes everything."""
        for number in (signal.SIGINT, signal.SIGTERM):
            # shutdown() waits for serve_forever(), which runs in this very thread.
            signal.signal(number, lambda *_: threading.Thread(target=self.shutdown).start())
        self.begin()
        try:
            self.serve_forever(STOP_SECONDS)
        finally:
            self.server_close()
            self.end()

    def answer(self, request: Request) -> Response:
        try:
            return self.respond(request)
        except ControlError as error:
            return self.refusal(request, error)
        except BrokenAnswer as broken:
            return html_response(f"<html><h1>{broken.status}</h1></html>", broken.status)
        except ConnectionDropped:
            raise
        except Exception:
            logger.exception("The stand-in failed on %s %s", request.method, request.path)
            return json_response({"error": "the stand-in failed; its log has the traceback"}, 500)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet, or keep-alive clients wait for a delayed ACK
    server: Server

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
            response = self.server.answer(request)
        except ConnectionDropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(response)
        if response.after_sent:
            response.after_sent()

    def _read(self) -> Request | None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > LARGEST_REQUEST:
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
            authorization=self.headers.get("Authorization", ""),
        )

    def _send(self, response: Response) -> None:
        try:
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(response.promised or len(response.body)))
            for name, value in response.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)
            self.wfile.flush()
            self.close_connection = self.close_connection or response.promised is not None
        except OSError as error:  # the client gave up waiting; what it asked for has happened
            self.close_connection = True
            logger.info("Answer to %s was not read: %s", self.path, error)
