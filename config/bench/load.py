"""The load generator: a closed loop of kept connections over raw sockets, in a process of its own.

Run as a script with ``python -I`` (only the standard library is needed, so it starts in a moment). Reads requests that
were built beforehand, sends each once, and prints a JSON report. Anything but a 200 whose body begins as expected ends
it with an error.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

EXPECTED = "success"


def write_requests(path: Path, requests: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for request in requests:
            file.write(struct.pack("!I", len(request)) + request)


def read_requests(path: Path) -> list[bytes]:
    data, position, requests = path.read_bytes(), 0, []
    while position < len(data):
        (length,) = struct.unpack_from("!I", data, position)
        requests.append(data[position + 4 : position + 4 + length])
        position += 4 + length
    return requests


class Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int, expected: bytes) -> None:
        self._expected = expected
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._started = 0.0

    def send(self, request: bytes) -> None:
        self._received = b""
        self._started = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> float | None:
        """Read what is there; the latency in seconds once the answer is complete."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise SystemExit(f"the server closed the connection after {self._received!r}")
        self._received += chunk
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return None
        if b" 200 " not in head.split(b"\r\n", 1)[0] or not body.startswith(self._expected):
            raise SystemExit(f"unexpected answer: {self._received[:500]!r}")
        return time.perf_counter() - self._started


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    raise SystemExit(f"an answer without Content-Length: {head!r}")


def drive(port: int, requests: list[bytes], connections: int, expected: bytes) -> list[float]:
    """Send all requests, ``connections`` at a time; returns the latencies in seconds."""
    latencies: list[float] = []
    waiting: Iterator[bytes] = iter(requests)
    selector = selectors.DefaultSelector()
    for _ in range(min(connections, len(requests))):
        connection = Connection(port, expected)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(waiting))
    while len(latencies) < len(requests):
        for key, _events in selector.select():
            connection = key.data
            latency = connection.receive()
            if latency is None:
                continue
            latencies.append(latency)
            request = next(waiting, None)
            if request is None:
                selector.unregister(connection.socket)
                connection.socket.close()
            else:
                connection.send(request)
    return latencies


def main(port: str, connections: str, path: str, expected: str) -> None:
    requests = read_requests(Path(path))
    cpu, started = time.process_time(), time.perf_counter()
    latencies = drive(int(port), requests, int(connections), expected.encode())
    seconds = time.perf_counter() - started
    latencies.sort()
    report = {
        "requests": len(latencies),
        "seconds": seconds,
        "busy": (time.process_time() - cpu) / seconds,
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
