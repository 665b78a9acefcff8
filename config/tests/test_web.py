"""The web server as a real process: how it stops, what it survives, what it makes of HTTP that no browser sends."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from django.db import connections

from config.children import port_answers
from config.testing.processes import Stack, Web, answers, wait_until
from wecom.models import RefusedCallback

pytestmark = pytest.mark.slow

CALLBACK = "/wecom/callback"
WECOM = {
    "WECOM_CORP_ID": "ww1",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "secret-of-the-app",
    "WECOM_CALLBACK_TOKEN": "token-of-callbacks",
    "WECOM_ENCODING_AES_KEY": "A" * 43,
}


@pytest.fixture
def web(stack: Stack) -> Web:
    stack.environment |= WECOM
    return stack.web(BEHIND_PROXY="true")


@contextmanager
def sent(web: Web, head: str, body: bytes = b"") -> Iterator[socket.socket]:
    """A connection on which ``head`` (its lines, without Host) and ``body`` have been sent."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as line:
        line.sendall((head + "\nHost: localhost\n\n").replace("\n", "\r\n").encode() + body)
        yield line


def answer(line: socket.socket) -> HTTPResponse:
    """The next answer on the connection, which is closed with it."""
    response = HTTPResponse(line)
    response.begin()
    return response


@contextmanager
def read_from(web: Web, body: bytes) -> Iterator[socket.socket]:
    """A request whose view waits for ``body``: the server says 100 when somebody begins to read."""
    with sent(web, f"POST {CALLBACK} HTTP/1.1\nContent-Length: {len(body)}\nExpect: 100-continue") as line:
        assert line.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        yield line


def worker(web: Web) -> int:
    """The process that answers, when there is one of them."""
    children = Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text().split()
    return int(children[0]) if children else 0


# --- Its end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [os.kill, os.killpg], ids=["the server", "its workers too, as systemd does"])
def test_what_runs_is_answered_after_sigterm_and_nothing_new_is_taken(web: Web, told: Callable[[int, int], None]):
    with read_from(web, b"the rest") as line:
        told(web.process.pid, signal.SIGTERM)
        wait_until(lambda: not port_answers(web.port), message="nobody listens")
        assert web.process.running
        line.sendall(b"the rest")
        assert answer(line).status == 400
    assert web.process.popen.wait(10) == 0


def test_idle_connections_do_not_keep_it_from_ending(web: Web):
    with sent(web, "GET /health HTTP/1.1") as line:
        assert answer(line).status == 200
        assert web.process.terminate() == 0


def test_a_worker_that_is_killed_is_replaced(web: Web):
    killed = worker(web)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: worker(web) not in (0, killed) and answers(web.url + "/health"), 30, "another worker answers")
    assert web.process.terminate() == 0


def test_no_worker_outlives_a_server_that_is_killed(web: Web):
    """It would go on answering, with the old code, beside the server that is started next."""
    web.process.popen.kill()
    wait_until(lambda: not port_answers(web.port), message="nobody listens")


def test_a_second_server_at_the_same_address_is_refused(stack: Stack, web: Web):
    second = stack.start("second", web.process.command)
    assert second.popen.wait(30) == 1
    port = f"127.0.0.1 port {web.port}"
    assert second.output == f"Quotebridge cannot start: it cannot listen on {port}: Address already in use.\n"
    assert answers(web.url + "/health")


# --- HTTP -------------------------------------------------------------------------------------------------------------


def test_a_large_body_is_refused_before_it_is_sent(web: Web):
    with sent(web, f"POST {CALLBACK} HTTP/1.1\nContent-Length: {2 << 20}") as line:
        assert answer(line).status == 413
        assert line.recv(1) == b""  # closed: what might still come is not taken for a request


def test_one_connection_serves_many_requests_of_all_kinds(web: Web):
    connection = HTTPConnection("127.0.0.1", web.port, timeout=20)
    connection.connect()
    line = connection.sock
    for method, path, status in [
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("GET", CALLBACK, 400),  # not a redirect
        ("POST", CALLBACK, 400),
        ("PUT", CALLBACK, 405),
        ("GET", "/no-such-page/%E9%A1%B9%E7%9B%AE?a=%00", 404),
    ]:
        connection.request(method, path, body=b"<xml>" if method == "POST" else None)
        response = connection.getresponse()
        body = response.read()
        assert (response.status, connection.sock) == (status, line), path
        assert "Transfer-Encoding" not in response.headers, path
        assert bool(body) == (method != "HEAD" and status != 405), path
    connection.close()


def test_a_body_in_chunks_is_answered_and_the_connection_goes_on(web: Web):
    """Proxies put chunks together; without one, Django does not look at a body of unknown length."""
    with sent(web, f"POST {CALLBACK} HTTP/1.1\nTransfer-Encoding: chunked", b"5\r\n<xml>\r\n0\r\n\r\n") as line:
        assert answer(line).status == 400


def test_what_is_not_http_is_refused_by_the_server_itself(web: Web):
    refused = {
        "NONSENSE": 400,
        "GET /health HTTP/1.1\nNo colon": 400,
        f"POST {CALLBACK} HTTP/1.1\nContent-Length: 5\nContent-Length: 6": 400,
        f"POST {CALLBACK} HTTP/1.1\nContent-Length: -1": 400,
        f"GET /{'x' * 66_000} HTTP/1.1": 414,
        "GET /health HTTP/1.1" + "".join(f"\nX-{number}: x" for number in range(101)): 431,
    }
    for head, status in refused.items():
        with sent(web, head) as line:
            assert answer(line).status == status, head[:80]
    assert answers(web.url + "/health")


def test_the_last_forwarded_address_counts_when_a_proxy_adds_a_line_of_its_own(web: Web):
    forwarded = "X-Forwarded-For: 203.0.113.1\nX-Forwarded-For: 203.0.113.2, 203.0.113.3"
    with sent(web, f"POST {CALLBACK} HTTP/1.1\n{forwarded}\nContent-Length: 5", b"<xml>") as line:
        assert answer(line).status == 400
    assert RefusedCallback.objects.get().remote_address == "203.0.113.3"
    connections.close_all()
