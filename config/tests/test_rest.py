"""Errors, pages and throttles of the REST API, and which addresses are open."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from django.urls import get_resolver
from knox.models import AuthToken
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from config import throttling
from config.rest import PageNumbers, exception_handler

pytestmark = pytest.mark.django_db


class Refusal(Exception):
    """As the domain's exceptions look."""

    def __init__(self, status_code: int, **attributes: Any) -> None:
        super().__init__("refused")
        self.status_code = status_code
        for name, value in attributes.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (exceptions.PermissionDenied(), 403, {"code": "permission_denied"}),
        (PermissionDenied(), 403, {"code": "permission_denied"}),
        (Http404(), 404, {"code": "not_found"}),
        (exceptions.ParseError(), 400, {"code": "parse_error"}),
        (exceptions.Throttled(wait=7), 429, {"code": "throttled"}),
        (Refusal(403, code="not_allowed", detail="Not yours."), 403, {"code": "not_allowed", "detail": "Not yours."}),
        (
            Refusal(409, code="wrong_state", detail="Decided.", current={"status": "approved"}),
            409,
            {"code": "wrong_state", "detail": "Decided.", "status": "approved"},
        ),
    ],
)
def test_every_refusal_has_a_status_a_code_and_a_sentence(error: Exception, status: int, body: dict[str, str]):
    response = exception_handler(error, {})
    assert response is not None
    assert response.status_code == status
    assert str(response.data["detail"])
    assert response.data.items() >= body.items()


def test_refused_input_names_its_fields():
    drf = exception_handler(exceptions.ValidationError({"title": ["Too long."]}), {})
    ours = exception_handler(Refusal(400, errors={"title": ["Too long."]}), {})
    assert drf is not None
    assert ours is not None
    assert drf.data == ours.data == {"title": ["Too long."]}
    assert (drf.status_code, ours.status_code) == (400, 400)


def test_an_unknown_exception_stays_an_error_of_ours():
    assert exception_handler(ZeroDivisionError(), {}) is None


def test_a_page_holds_at_most_200_rows():
    request = Request(APIRequestFactory().get("/", {"page_size": "5000"}))
    assert PageNumbers().get_page_size(request) == 200
    assert PageNumbers().get_page_size(Request(APIRequestFactory().get("/"))) == 50


def test_an_unknown_api_address_is_json(client: Client):
    response = client.get("/api/no-such-thing")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_token_opens_the_api_until_it_ends():
    user = User.objects.create_user("integration")
    _, token = AuthToken.objects.create(user, expiry=timedelta(days=1))
    _, old = AuthToken.objects.create(user, expiry=timedelta(seconds=-1))
    client = APIClient()
    assert client.get("/api/schema").status_code == 401
    client.credentials(HTTP_AUTHORIZATION=f"Token {old}")
    assert client.get("/api/schema").status_code == 401
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/schema").status_code == 200


@pytest.fixture
def two_per_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling.AnonymousThrottle, "THROTTLE_RATES", {"anon": "2/min"})


def ask(address: str, **headers: str) -> Any:
    return APIClient().get("/api/quotes", REMOTE_ADDR=address, headers=headers)


def test_a_stranger_who_is_refused_too_often_is_told_when_to_come_back(two_per_minute: None):
    guess = {"Authorization": "Token qb_" + "a" * 64}
    answers = [ask("203.0.113.7"), ask("203.0.113.7", **guess), ask("203.0.113.7", **guess), ask("203.0.113.7")]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert [answer.json()["code"] for answer in answers[::2]] == ["not_authenticated", "throttled"]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    assert ask("203.0.113.8").status_code == 401


def test_whoever_has_a_token_is_not_locked_out_by_a_stranger_at_the_same_address(two_per_minute: None):
    _, token = AuthToken.objects.create(User.objects.create_user("integration"))
    for _ in range(3):
        ask("203.0.113.7")
    assert ask("203.0.113.7", Authorization=f"Token {token}").status_code == 200


def test_a_user_who_asks_too_often_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(throttling.UserThrottle, "THROTTLE_RATES", {"user": "2/min"})
    client = APIClient()
    client.force_login(User.objects.create_user("clerk"))
    answers = [client.get("/api/quotes") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60


@pytest.mark.timed
def test_without_redis_nobody_is_throttled_and_only_the_first_request_waits(
    settings: Any, monkeypatch: pytest.MonkeyPatch, two_per_minute: None
):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"},
    }
    monkeypatch.setattr(throttling._FailOpen, "_resting_until", 0.0)
    assert {ask("203.0.113.7").status_code for _ in range(3)} == {401}
    assert median(_seconds(lambda: ask("203.0.113.7")) for _ in range(5)) < 0.2


def _seconds(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


OPEN_ADDRESSES = {
    "": "sends to the admin",
    "admin/login/": "the log-in itself",
    "health": "probes",
    "health/ready": "probes",
    "i18n/setlang/": "the language of the log-in page",
    "m/": "leads to the list of approvals, which asks who somebody is",
    "metrics": "known addresses or a token of its own; not found for everybody else",
    "project/<str:remote_id>/": "leads to the page without the slash, which asks for a link",
    "project/<str:remote_id>/ask": "leads to the page, which asks for a link",
    "project/<str:remote_id>/language": "leads to the page, which asks for a link",
    "project/<str:remote_id>/refresh": "leads to the page, which asks for a link",
    "wecom/callback": "signature instead",
    "wecom/callback/": "signature instead",
    "wecom/callback/<slug:slug>": "signature instead",
    "wecom/callback/<slug:slug>/": "signature instead",
    "wecom/login": "the log-in itself",
    "wecom/login/return": "the log-in itself",
}


def addresses(patterns: Any, prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for pattern in patterns:
        if prefix + str(pattern.pattern) == "admin/":
            continue  # has its own rules and tests
        if hasattr(pattern, "url_patterns"):
            found += addresses(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            found.append((prefix + str(pattern.pattern), pattern.callback))
    return found


def test_every_address_is_closed_unless_it_is_on_the_list(monkeypatch: pytest.MonkeyPatch):
    """A new view without log-in must be added here by somebody who means it."""
    monkeypatch.setattr(throttling.AnonymousThrottle, "THROTTLE_RATES", {"anon": "10000/min"})
    client = Client()
    opened = set()
    for route, _view in addresses(get_resolver().url_patterns):
        if route in OPEN_ADDRESSES:
            continue
        path = "/" + re.sub(r"<\w+:\w+>", "1", route)
        response = client.get(path)
        if response.status_code not in (401, 403) and "/admin/login/" not in response.headers.get("Location", ""):
            opened.add((route, response.status_code))
    assert opened == set()
