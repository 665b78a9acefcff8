"""The one outbound HTTP call of the stand-in: no redirects, no pooling, a hard time-out."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


class CallFailed(Exception):
    """No answer: the connection failed, broke, or took too long."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    seconds: float


def request(method: str, url: str, *, body: bytes = b"", timeout: float) -> Answer:
    """Sends one request. ``timeout`` in seconds. Raises CallFailed."""
    address = urlsplit(url)
    connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    started = time.monotonic()
    try:
        connection = connect(address.hostname or "", address.port, timeout=timeout)
        try:
            path = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
            headers = {"Content-Type": "text/xml; charset=utf-8"} if body else {}
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CallFailed(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
    return Answer(response.status, content, time.monotonic() - started)
