"""Whose language a page speaks, and what a request leaves in the log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.middleware import RequestLogMiddleware

pytestmark = pytest.mark.django_db


def test_chinese_comes_first_whatever_the_browser_prefers(client: Client):
    page = client.get("/no-such-page", headers={"accept-language": "en-US,en;q=0.9"})
    assert page.headers["Content-Language"] == "zh-hans"
    assert 'lang="zh-hans"' in page.content.decode()


def test_a_chosen_language_counts(client: Client):
    client.post("/i18n/setlang/", {"language": "en", "next": "/"})
    page = client.get("/no-such-page")
    assert page.headers["Content-Language"] == "en"
    assert "There is nothing here" in page.content.decode()


def test_an_unknown_language_is_ignored(client: Client):
    client.cookies["django_language"] = "xx"
    assert client.get("/no-such-page").headers["Content-Language"] == "zh-hans"


@pytest.mark.parametrize(
    ("accepted", "language", "sentence"),
    [
        ("en-US,en;q=0.9", "en", "There is nothing at this address"),
        ("zh-CN,en;q=0.5", "zh-hans", "该地址不存在"),
        ("fr", "zh-hans", "该地址不存在"),
        ("", "zh-hans", "该地址不存在"),
    ],
)
def test_a_program_at_the_api_says_its_language_in_a_header(
    client: Client, accepted: str, language: str, sentence: str
):
    answer = client.get("/api/nothing-here", headers={"accept-language": accepted} if accepted else {})
    assert sentence in answer.json()["detail"]
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]


def test_at_the_api_too_a_chosen_language_wins(client: Client):
    client.cookies["django_language"] = "zh-hans"
    assert client.get("/api/x", headers={"accept-language": "en"}).headers["Content-Language"] == "zh-hans"


def test_pages_do_not_vary_by_what_they_ignore(client: Client):
    assert "Accept-Language" not in client.get("/no-such-page").headers.get("Vary", "")


def request_ids(path: str, caplog: pytest.LogCaptureFixture) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Log lines of one request, the context inside the view and the one after it."""
    inside: dict[str, Any] = {}

    def view(request: HttpRequest) -> HttpResponse:
        inside.update(structlog.contextvars.get_contextvars())
        return HttpResponse("ok")

    with caplog.at_level(logging.INFO):
        RequestLogMiddleware(view)(RequestFactory().get(path))
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return lines, inside, structlog.contextvars.get_contextvars()


def test_a_request_is_one_line_with_its_id(caplog: pytest.LogCaptureFixture):
    lines, inside, after = request_ids("/api/quotes?page=2", caplog)
    finished = [line for line in lines if line["event"] == "request_finished"]
    assert [line["code"] for line in finished] == [200]
    assert finished[0]["request_id"] == inside["request_id"]
    assert after == {}


@pytest.mark.parametrize("path", ["/wecom/callback", "/wecom/callback/sales", "/health/ready"])
def test_frequent_paths_are_silent_but_have_an_id(path: str, caplog: pytest.LogCaptureFixture):
    lines, inside, after = request_ids(path, caplog)
    assert lines == []
    assert len(inside["request_id"]) == 36
    assert after == {}


def test_a_failing_quiet_request_leaves_no_context_behind():
    def view(request: HttpRequest) -> HttpResponse:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        RequestLogMiddleware(view)(RequestFactory().get("/health"))
    assert structlog.contextvars.get_contextvars() == {}


def test_probes_need_neither_https_nor_a_host_name_of_ours(client: Client, settings: Any):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health", headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/admin/login/", headers={"host": "10.0.0.7:8000"}).status_code == 400


def test_security_headers(client: Client):
    headers = client.get("/no-such-page").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert logging.getLogger("django.request").level == logging.CRITICAL  # our own line replaces it
