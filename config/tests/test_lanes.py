"""What is answered before Django: when lanes are asked, what they leave behind, and what becomes of their failures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
import structlog
from django.db import InterfaceError, connection
from django.http import Http404, HttpRequest
from django.test import Client

from config.lanes import Answer, Lane, with_lanes

THIS = "config.tests.test_lanes"
SECRET = "what nobody outside may read"
DJANGO = b"from Django"


class Ping(Lane):
    headers = {"Cache-Control": "no-store"}

    def take(self, request: HttpRequest) -> Callable[[], Answer] | None:
        word = request.path_info.rpartition("/")[2]
        return getattr(self, f"say_{word}", None) if request.path_info.startswith("/api/ping/") else None

    def say_hello(self) -> Answer:
        return Answer(201, {**self.headers, "Content-Type": "text/plain"}, "您好".encode())

    def say_something_wrong(self) -> Answer:
        raise ValueError(SECRET)

    def say_nothing_of_that_kind(self) -> Answer:
        raise Http404

    def say_it_later(self) -> Answer:
        raise InterfaceError(SECRET)


class Heard:
    """What an application said to the web server."""

    def __init__(self, application: Any, path: str, *, query: str = "") -> None:
        self.environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query}
        setup_testing_defaults(self.environ)
        self.before = dict(self.environ)
        self.content = b"".join(application(self.environ, self._start))

    def _start(self, status: str, headers: Iterable[tuple[str, str]], _exception: Any = None) -> Callable[..., Any]:
        self.status, self.headers = status, dict(headers)
        return lambda _data: None


def behind_lanes(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [DJANGO]


@pytest.fixture
def application(settings: Any, transactional_db: None) -> Any:
    settings.MIDDLEWARE = [f"{THIS}.Ping", *settings.MIDDLEWARE]
    return with_lanes(behind_lanes)  # type: ignore[arg-type]


def test_a_lane_answers_the_web_server_itself(application: Any):
    heard = Heard(application, "/api/ping/hello")
    assert (heard.status, heard.content.decode()) == ("201 Created", "您好")
    assert heard.headers == {"Cache-Control": "no-store", "Content-Type": "text/plain"}


def test_what_no_lane_takes_goes_on_as_it_came(application: Any):
    """An address in Chinese too, which Django decodes from what the web server says, once."""
    for path in ("/api/ping/nothing", "/api/quotes", "/项目".encode().decode("latin-1")):
        heard = Heard(application, path)
        assert heard.content == DJANGO
        assert heard.environ == heard.before


def test_without_the_web_server_it_is_middleware(settings: Any, application: Any):
    answer = Client().get("/api/ping/hello")
    assert (answer.status_code, answer.content.decode()) == (201, "您好")
    assert answer.headers["Cache-Control"] == "no-store"
    assert Client().get("/api/ping/nothing").status_code == 404


@pytest.mark.parametrize("before", [[], ["django.middleware.common.CommonMiddleware"]])
def test_only_lanes_that_come_first_are_asked_before_django(settings: Any, before: list[str]):
    settings.MIDDLEWARE = [*before, f"{THIS}.Ping"]
    application = with_lanes(behind_lanes)  # type: ignore[arg-type]
    assert (application is behind_lanes) == bool(before)


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("something_wrong", "500 Internal Server Error", "server_error"),
        ("it_later", "503 Service Unavailable", "not_ready"),
    ],
)
def test_a_failure_is_logged_and_says_nothing_outside(
    word: str, status: str, code: str, application: Any, caplog: pytest.LogCaptureFixture
):
    heard = Heard(application, f"/api/ping/{word}")
    assert heard.status == status
    assert json.loads(heard.content)["code"] == code
    assert SECRET not in str(heard.headers) + heard.content.decode()
    assert heard.headers["Cache-Control"] == "no-store"
    [record] = [record for record in caplog.records if record.name == "config.lanes"]
    assert isinstance(record.msg, dict)
    assert record.msg["event"] == "request_failed" and record.msg["exc_info"]  # the traceback, and why
    assert record.levelname == "ERROR"

    answer = Client(raise_request_exception=False).get(f"/api/ping/{word}")
    assert (answer.status_code, answer.json()["code"]) == (int(status[:3]), code)


def test_a_connection_that_has_served_its_time_is_not_used_again(application: Any):
    connection.ensure_connection()
    connection.close_at = time.monotonic() - 1
    Heard(application, "/api/quotes")
    assert connection.connection is not None  # what is Django's to answer, it prepares itself
    Heard(application, "/api/ping/hello")
    assert connection.connection is None


def test_refusals_of_django_are_no_failures_of_ours(application: Any, caplog: pytest.LogCaptureFixture):
    """Whoever may call us could fill the log with them."""
    heard = Heard(application, "/api/ping/nothing_of_that_kind")
    assert heard.status == "404 Not Found"
    assert json.loads(heard.content)["code"] == "not_found"
    assert not [record for record in caplog.records if record.name == "config.lanes"]


# --- the lane for machines --------------------------------------------------------------------------------------------


@pytest.fixture
def server(transactional_db: None) -> Any:
    """All lanes of the settings; Django would answer as ``behind_lanes``."""
    return with_lanes(behind_lanes)  # type: ignore[arg-type]


def test_probes_and_callbacks_never_reach_django(server: Any):
    for path, status, content in (
        ("/health", "200 OK", '{"status": "ok"}'),
        ("/wecom/callback", "503 Service Unavailable", "No callback token"),
        ("/wecom/callback/sales/", "404 Not Found", "No enabled WeCom app"),
    ):
        heard = Heard(server, path)
        assert heard.status == status
        assert content in heard.content.decode()
        assert heard.headers["Content-Length"] == str(len(heard.content))
        assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize("path", ["/health/of/nothing", "/wecom/callback/a/b", "/wecom/login", "/metrics/"])
def test_addresses_that_nobody_has_are_djangos(path: str, server: Any):
    heard = Heard(server, path)
    assert heard.content == DJANGO
    assert heard.environ == heard.before


def test_a_view_that_cannot_read_the_request_answers_for_it(server: Any, settings: Any):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    heard = Heard(server, "/wecom/callback", query="a=1&b=2&c=3")
    assert heard.status == "400 Bad Request"
