"""The way of links past the middleware: what takes it, what does not, and what every answer carries."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.urls import get_resolver

from config.throttling import RefusedLinkThrottle
from projects import access, door
from projects.link_lane import OTHER_ADDRESSES
from projects.models import AccessOutcome, ProjectAccessLog, ProjectCache
from projects.tests.access.conftest import Read
from projects.throttling import Budgets
from projects.tokens import Issued

pytestmark = pytest.mark.django_db


def test_verify_access_answers_in_the_documented_shape(link: Issued, read: Read) -> None:
    answer = read(link.token, verify=True)
    assert answer.json() == {"has_access": True, "user_id": "C-17", "user_name": "王芳", "access_type": "customer"}


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("good", [True, False])
def test_nothing_is_stored_or_guessed(verify: bool, good: bool, link: Issued, read: Read) -> None:
    answer = read(link.token if good else "x", verify=verify)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("accepted", "language"), [("en-US,en", "en"), ("zh-CN", "zh-hans"), ("fr", "zh-hans")])
def test_a_refusal_speaks_the_language_that_is_accepted(
    accepted: str, language: str, project: ProjectCache, client: Client
) -> None:
    answer = client.get("/api/projects/P-1001?token=x", headers={"accept-language": accepted})
    assert answer.headers["Content-Language"] == language
    assert (answer.json()["detail"] == "This link is not valid.") == (language == "en")


def test_plain_http_is_sent_to_https_and_gets_no_answer(link: Issued, client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    client = Client()  # middleware reads the setting when it is made
    address = f"/api/projects/P-1001?token={link.token}"
    assert client.get(address).status_code == 301
    answer = client.get(address, secure=True)
    assert answer.status_code == 200


def test_https_is_asked_for_in_future_as_everywhere(link: Issued, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 3600
    answer = Client().get(f"/api/projects/P-1001?token={link.token}", secure=True)
    assert "max-age=3600" in answer.headers["Strict-Transport-Security"]


def test_a_session_adds_nothing_to_a_link(link: Issued, client: Client) -> None:
    """Whoever is logged in sees with a customer's link what the customer sees."""
    client.force_login(User.objects.create_superuser("ada"))
    assert client.get(f"/api/projects/P-1001?token={link.token}").json()["project"]["phone"] == "138****8888"
    assert client.get("/api/projects/P-1001?token=x").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/projects/P-1001?token={}"),
        ("head", "/api/projects/P-1001?token={}"),
        ("get", "/api/projects/P-1001/links?token={}"),
        ("get", "/api/projects/sync?token={}"),
        ("get", "/api/projects/sync-history?token={}"),
        ("get", "/api/quotes?token={}"),
        ("get", "/api/projects/P-1001?mytoken={}"),
        ("get", "/admin/?token={}"),
    ],
)
def test_a_link_opens_nothing_else(method: str, path: str, link: Issued, client: Client) -> None:
    answer = getattr(client, method)(path.format(link.token))
    assert answer.status_code in (302, 401, 405)
    assert not ProjectAccessLog.objects.exists()


def test_no_word_of_the_api_is_taken_for_a_project() -> None:
    """Whoever adds /api/projects/{word} must tell the lane."""
    words = set()
    for pattern in get_resolver().url_patterns:
        for route in _routes(pattern):
            head, _, rest = route.partition("api/projects/")
            if not head and rest and not rest.startswith("<"):
                words.add(rest.split("/")[0])
    assert words == OTHER_ADDRESSES


def _routes(pattern: Any, prefix: str = "") -> list[str]:
    route = prefix + str(pattern.pattern)
    return [one for inner in getattr(pattern, "url_patterns", []) for one in _routes(inner, route)] or [route]


def test_a_database_that_is_away_is_told_as_such(link: Issued, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_token: str) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(access, "_find", away)
    answer = read(link.token)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"


# --- how often --------------------------------------------------------------------------------------------------------


def look(client: Client, token: str, address: str, **headers: str) -> Any:
    return client.get(f"/api/projects/P-1001?token={token}", REMOTE_ADDR=address, headers=headers)


def test_all_requests_of_an_address_have_a_budget(
    link: Issued, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "budgets", Budgets(per_minute=2))
    answers = [look(client, link.token, "203.0.113.7") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) >= 1
    assert answers[2].json()["code"] == "throttled"
    assert look(client, link.token, "203.0.113.8").status_code == 200
    assert ProjectAccessLog.objects.get().outcome == AccessOutcome.THROTTLED


def test_an_ipv6_client_has_one_budget_for_its_line(
    link: Issued, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "budgets", Budgets(per_minute=1))
    assert look(client, link.token, "2001:db8:0:1::1").status_code == 200
    assert look(client, link.token, "2001:db8:0:1:ffff::2").status_code == 429
    assert look(client, link.token, "2001:db8:0:2::1").status_code == 200


@pytest.fixture
def two_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RefusedLinkThrottle, "THROTTLE_RATES", {"link_refused": "2/min"})


def test_who_guesses_is_told_to_wait_and_who_knows_is_not(two_guesses: None, link: Issued, client: Client) -> None:
    answers = [look(client, "guess", "203.0.113.7") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    assert look(client, link.token, "203.0.113.7").status_code == 200
    assert look(client, "guess", "203.0.113.8").status_code == 401


def test_what_a_client_says_of_its_address_counts_only_behind_our_proxy(
    two_guesses: None, project: ProjectCache, client: Client, settings: Any
) -> None:
    guesses = [look(client, "guess", "10.0.0.1", **{"x-forwarded-for": f"198.51.100.{n}"}) for n in range(3)]
    assert guesses[-1].status_code == 429
    cache.clear()
    settings.BEHIND_PROXY = True
    guesses = [look(client, "guess", "10.0.0.1", **{"x-forwarded-for": f"1.1.1.1, 198.51.100.{n}"}) for n in range(3)]
    assert guesses[-1].status_code == 401
    assert ProjectAccessLog.objects.latest("pk").address == "198.51.100.2"


def test_without_redis_guesses_are_refused_but_not_counted(
    two_guesses: None, project: ProjectCache, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    monkeypatch.setattr("config.throttling._FailOpen._resting_until", 0.0)
    assert {look(client, "guess", "203.0.113.7").status_code for _ in range(4)} == {401}
