"""A real HTTP server for tests that play the other side of a call: it answers what the test says, over a socket.

Not WeCom: it knows no rules, only scripts. The stand-in (``wecom.standin``) is for everything end to end.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived. ``endpoint`` is the path below ``/cgi-bin/``."""

    method: str
    endpoint: str
    query: dict[str, str]
    content: bytes
    headers: dict[str, str]

    @property
    def body(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not a JSON object with status 200."""

    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Close:
    """Read the request, then close the connection without a word."""


class Hang:
    """Read the request, then say nothing until the test ends."""


class Half:
    """Announce 100 bytes, send a few, close."""


class Drip:
    """Announce a long body and send it byte by byte, so that no single wait is long."""


Script = dict[str, Any] | Raw | Close | Hang | Half | Drip
Answer = Script | Callable[[Received], Script]


class Peer:
    """A server on a port of its own. ``answer()`` scripts an endpoint; ``received`` holds what came in."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._scripts: dict[str, list[Answer]] = defaultdict(list)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.peer = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.answer("gettoken", {"errcode": 0, "errmsg": "ok", "access_token": "token-1", "expires_in": 7200})

    def answer(self, endpoint: str, *answers: Answer) -> None:
        """Answer calls of ``endpoint`` with these, one after another; the last one stays."""
        with self._lock:
            self._scripts[endpoint] = list(answers)

    def calls(self, endpoint: str) -> list[Received]:
        with self._lock:
            return [request for request in self.received if request.endpoint == endpoint]

    def take(self, request: Received) -> Script:
        with self._lock:
            self.received.append(request)
            script = self._scripts[request.endpoint] or [{"errcode": 40058, "errmsg": "not scripted"}]
            answer = script.pop(0) if len(script) > 1 else script[0]
        return answer(request) if callable(answer) else answer

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def refused_url() -> str:
    """An address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    peer: Peer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        with self.server.peer._lock:
            self.server.peer.connections += 1

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        endpoint = target.path.removeprefix("/cgi-bin/")
        request = Received(self.command, endpoint, dict(parse_qsl(target.query)), content, dict(self.headers))
        self._play(self.server.peer.take(request))

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def _play(self, script: Script) -> None:
        match script:
            case Close():
                self.close_connection = True
            case Hang():
                self.server.peer.ended.wait()
                self.close_connection = True
            case Half():
                self._send(200, b"{", {"Content-Length": "100"})
                self.close_connection = True
            case Drip():
                self._drip()
            case Raw(status, content, headers):
                self._send(status, content, {"Content-Length": str(len(content)), **headers})
            case _:
                content = json.dumps(script).encode()
                self._send(200, content, {"Content-Length": str(len(content)), "Content-Type": "application/json"})

    def _drip(self) -> None:
        self._send(200, b"{", {"Content-Length": "1000000"})
        self.close_connection = True
        while not self.server.peer.ended.wait(0.01):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        """Silent: the test says what went wrong."""
