"""Everybody else reads what is missing and what to do; nothing in the log or the database is worth stealing."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.cache import cache
from pytest_django.fixtures import Settings

from config import login_guard
from config.throttling import WeComLogInThrottle
from wecom.models import Member
from wecom.tests.conftest import CANARY_SECRET
from wecom.tests.login.conftest import CODE, WXWORK, LogInBrowser, query_of
from wecom.tests.peers import Close, Peer, Raw, refused_url


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"userid": "somebody.else"}, "there is no such member in this system"),
        ({"deleted_at": "2026-01-01T00:00:00Z"}, "li.mei has left the company"),
        ({"status": 5}, "li.mei has left the company"),
        ({"status": 2}, "li.mei is not active in WeCom"),
        ({"status": 4}, "li.mei is not active in WeCom"),
        ({"user": None}, "No staff user of this system is linked to you, the WeCom member li.mei"),
    ],
    ids=str,
)
def test_members_who_may_not_get_in(
    browser: LogInBrowser, li: Member, wecom: Peer, change: dict[str, Any], sentence: str
):
    Member.objects.update(**change)
    response = browser.log_in(next="/admin/approvals/quote/")
    assert response.status_code == 403
    assert sentence in text(response)
    assert 'href="/wecom/login?next=%2Fadmin%2Fapprovals%2Fquote%2F"' in text(response)
    assert 'href="/admin/login/?by=password&amp;next=%2Fadmin%2Fapprovals%2Fquote%2F"' in text(response)
    assert browser.user_id is None
    assert not AccessAttempt.objects.exists()  # WeCom vouches for them: nobody is guessing


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}], ids=str)
def test_users_who_may_not_get_in(browser: LogInBrowser, li: Member, wecom: Peer, change: dict[str, Any]):
    User.objects.update(**change)
    response = browser.log_in()
    assert response.status_code == 403
    assert "linked to the WeCom member li.mei may not log in here" in text(response)
    assert browser.user_id is None


@pytest.mark.parametrize(
    "answer",
    [
        {"openid": "oABC"},
        {"openid": "oABC", "external_userid": "wmABC"},
        {"userid": "wwpartner/li.mei"},
    ],
    ids=str,
)
def test_who_is_not_a_member_of_the_company(browser: LogInBrowser, li: Member, peer: Peer, answer: dict[str, Any]):
    peer.answer("auth/getuserinfo", {"errcode": 0, "errmsg": "ok", **answer})
    response = browser.log_in()
    assert response.status_code == 403
    assert "not a member of this company" in text(response)
    assert browser.user_id is None


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ({"errcode": -1, "errmsg": "system busy"}, 503, "WeCom is busy"),
        ({"errcode": 45009, "errmsg": "limit"}, 503, "limit of calls"),
        ({"errcode": 42001, "errmsg": "expired"}, 503, "access token was no longer valid"),
        ({"errcode": 60020, "errmsg": "not allow, from ip: 198.51.100.9"}, 503, "企业可信IP"),
        ({"errcode": 50001, "errmsg": "redirect"}, 503, "网页授权及JS-SDK"),
        ({"errcode": 48002, "errmsg": "forbidden"}, 503, "may not use this API"),
        ({"errcode": 50002, "errmsg": "scope"}, 503, "outside the app&#x27;s visible scope"),
        ({"errcode": 999999, "errmsg": "?"}, 503, "does not know"),
        ({"errcode": 0, "errmsg": "ok"}, 503, "does not say who you are"),
        ({"errcode": 0, "errmsg": "ok", "userid": 7}, 503, "does not say who you are"),
        (Raw(502, b"<html>"), 503, "HTTP status 502"),
        (Close(), 503, "connection to WeCom broke"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Close) else str(value),
)
def test_troubles_of_wecom(browser: LogInBrowser, li: Member, peer: Peer, script: Any, status: int, words: str):
    peer.answer("auth/getuserinfo", script)
    response = browser.log_in()
    assert response.status_code == status
    assert words in text(response)
    assert "198.51.100.9" not in text(response)
    assert browser.user_id is None
    assert not AccessAttempt.objects.exists()


def test_wecom_away(browser: LogInBrowser, li: Member, settings: Settings):
    settings.WECOM_API_BASE_URL = refused_url()
    response = browser.log_in()
    assert response.status_code == 503
    assert "WeCom cannot be reached" in text(response)
    assert "Superusers can log in with their password" in text(response)


def test_a_wrong_secret_opens_the_breaker_and_nobody_asks_again(browser: LogInBrowser, li: Member, peer: Peer):
    peer.answer("gettoken", {"errcode": 40001, "errmsg": "invalid credential"})
    for _ in range(3):
        response = browser.log_in()
        assert response.status_code == 503
        assert "does not accept the app&#x27;s secret" in text(response)
    assert len(peer.calls("gettoken")) == 1


def test_redis_away(browser: LogInBrowser, li: Member, wecom: Peer, settings: Settings):
    state = browser.begin()["state"]
    settings.REDIS_URL = refused_url().replace("http", "redis")
    response = browser.come_back(state)
    assert response.status_code == 503
    assert "Redis cannot be reached" in text(response)


@pytest.mark.parametrize("errcode", [40029, 42022, 42003])
def test_a_refused_code_starts_anew_once(browser: LogInBrowser, li: Member, peer: Peer, errcode: int):
    peer.answer("auth/getuserinfo", {"errcode": errcode, "errmsg": "code"})
    first = browser.log_in(next="/admin/approvals/quote/")
    assert first.status_code == 302
    assert first.headers["Location"].startswith("https://login.work.weixin.qq.com/")
    second = browser.come_back(query_of(first)["state"])
    assert second.status_code == 400
    assert "did not confirm this log-in" in text(second)
    assert AccessAttempt.objects.get().failures_since_start == 2


def test_the_new_start_leads_to_the_same_page(browser: LogInBrowser, li: Member, peer: Peer):
    peer.answer(
        "auth/getuserinfo",
        {"errcode": 42022, "errmsg": "code"},
        {"errcode": 0, "errmsg": "ok", "userid": "li.mei"},
    )
    first = browser.log_in(next="/admin/approvals/quote/")
    assert browser.come_back(query_of(first)["state"]).headers["Location"] == "/admin/approvals/quote/"


@pytest.mark.parametrize("code", ["", "x" * 513, "ä", "a\nb"], ids=["none", "long", "not ASCII", "line break"])
def test_what_cannot_be_a_code_is_not_sent_to_wecom(browser: LogInBrowser, li: Member, wecom: Peer, code: str):
    first = browser.come_back(browser.begin()["state"], code)
    assert browser.come_back(query_of(first)["state"], code).status_code == 400
    assert wecom.calls("auth/getuserinfo") == []


def test_guessed_codes_count_for_the_address_and_for_nobody_else(
    li: Member, peer: Peer, monkeypatch: pytest.MonkeyPatch, settings: Settings
):
    settings.PASSWORD_LOGIN = "everybody"
    peer.answer("auth/getuserinfo", {"errcode": 40029, "errmsg": "code"})
    monkeypatch.setattr(login_guard, "FAILURES_PER_ADDRESS", 7)
    here = LogInBrowser(REMOTE_ADDR="203.0.113.7")
    assert [here.log_in().status_code for _ in range(6)] == [302] * 6  # five would lock a user out
    assert here.log_in().status_code == 429
    form = {"username": "li", "password": "right"}
    assert here.post("/admin/login/", form).status_code == 429
    assert LogInBrowser(REMOTE_ADDR="203.0.113.8").post("/admin/login/", form).status_code == 302


def test_a_stranger_cannot_make_us_ask_wecom_all_day(li: Member, wecom: Peer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(WeComLogInThrottle, "THROTTLE_RATES", {"wecom_login": "3/min"})
    cache.clear()
    answers = [LogInBrowser(REMOTE_ADDR="203.0.113.7").log_in().status_code for _ in range(5)]
    assert answers == [302, 302, 302, 429, 429]
    assert len(wecom.calls("auth/getuserinfo")) == 3
    assert LogInBrowser(REMOTE_ADDR="203.0.113.8").log_in().status_code == 302


def test_the_pages_speak_chinese_first(li: Member, wecom: Peer):
    Member.objects.update(user=None)
    phone = LogInBrowser(WXWORK)
    del phone.cookies["django_language"]
    response = phone.log_in()
    assert response.headers["Content-Language"] == "zh-hans"
    assert '<html lang="zh-hans">' in text(response)


def test_neither_log_nor_database_keeps_code_state_or_secret(
    browser: LogInBrowser, li: Member, peer: Peer, caplog: pytest.LogCaptureFixture
):
    peer.answer(
        "auth/getuserinfo",
        {"errcode": 40029, "errmsg": f"invalid code {CODE}"},
        {"errcode": 0, "errmsg": "ok", "userid": "li.mei"},
    )
    caplog.set_level(logging.INFO)
    states = [browser.begin()["state"]]
    states.append(query_of(browser.come_back(states[0]))["state"])
    browser.come_back(states[1])
    browser.come_back("unknownstate")
    formatter = logging.getLogger().handlers[0].formatter
    assert formatter is not None
    logged = "".join(map(formatter.format, caplog.records))
    assert "logged_in" in logged
    assert "once_more" in logged
    kept = "".join(f"{row.get_data}{row.post_data}{row.path_info}" for row in AccessAttempt.objects.all())
    assert kept
    for secret in (CODE, *states, CANARY_SECRET, "token-1"):
        assert secret not in logged
        assert secret not in kept
