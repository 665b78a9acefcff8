"""No answer of these pages leaks the link, is kept, found by a search engine or shown in somebody else's frame."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from projects.models import ProjectAccessToken
from projects.tests.page.browserless import Phone
from projects.throttling import Budgets
from projects.tokens import Issued, revoke

POLICY = {
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def assert_guarded(answer: Any) -> None:
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert set(answer.headers["Cache-Control"].split(", ")) == {"private", "no-store"}
    assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY
    assert "Cookie" in answer.headers["Vary"]
    if answer.headers["Content-Type"].startswith("text/html") and answer.content:
        assert b'<meta name="robots" content="noindex' in answer.content
        assert b"style=" not in answer.content and b"<script" not in answer.content


def good(link: Issued) -> None:
    pass


def ended(link: Issued) -> None:
    ProjectAccessToken.objects.update(expires_at=timezone.now())


def withdrawn(link: Issued) -> None:
    revoke(ProjectAccessToken.objects.all(), None)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(("happens", "status"), [(good, 200), (ended, 401), (withdrawn, 403)])
def test_every_state_in_every_language(link: Issued, happens: Any, status: int, language: str):
    client = Client()
    client.cookies["django_language"] = language
    happens(link)
    moved = client.get("/project/SO-1", {"token": link.token})
    assert_guarded(moved)
    answer = client.get("/project/SO-1")
    assert answer.status_code == status
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in answer.content.decode()
    assert_guarded(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_strangers(client: Client, language: str):
    client.cookies["django_language"] = language
    answer = client.get("/project/SO-1")
    assert answer.status_code == 401
    assert f'<html lang="{language}">' in answer.content.decode()
    assert_guarded(answer)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_too_many_requests(link: Issued, client: Client, monkeypatch: pytest.MonkeyPatch, language: str):
    client.cookies["django_language"] = language
    client.get("/project/SO-1", {"token": link.token})
    monkeypatch.setattr("projects.door.budgets", Budgets(per_minute=1))
    assert client.get("/project/SO-1").status_code == 200
    answer = client.get("/project/SO-1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert_guarded(answer)


@pytest.mark.django_db
def test_whoever_guesses_is_told_to_wait(client: Client):
    answers = [client.get("/project/SO-1", {"token": "x"}) for _ in range(35)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert_guarded(answers[-1])


def test_forms_and_wrong_methods(link: Issued):
    phone = Phone()
    phone.open(link.url)
    assert_guarded(phone.client.post("/project/SO-1/refresh"))
    assert_guarded(phone.client.put("/project/SO-1"))
    assert phone.client.head("/project/SO-1").status_code == 200
