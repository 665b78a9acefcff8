"""A log-in belongs to the browser that began it, once, for ten minutes."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from wecom.errors import RetryableError
from wecom.login import states
from wecom.models import Member
from wecom.tests.login.conftest import LogInBrowser
from wecom.tests.peers import Peer, refused_url


def refused(response: Any) -> bool:
    return response.status_code == 400 and "begun in another browser" in response.content.decode()


@pytest.mark.parametrize("state", ["", "x", "a" * 32, "ä"])
def test_a_state_that_is_not_ours_is_refused_without_asking_wecom(
    browser: LogInBrowser, li: Member, wecom: Peer, state: str
):
    browser.begin()
    assert refused(browser.come_back(state))
    assert refused(browser.get("/wecom/login/return"))
    assert wecom.received == []
    assert browser.user_id is None


def test_a_second_browser_cannot_use_the_address(browser: LogInBrowser, li: Member, wecom: Peer):
    state = browser.begin()["state"]
    other = LogInBrowser()
    assert refused(other.come_back(state))
    other.begin()  # with a cookie of its own as well
    assert refused(other.come_back(state))
    assert browser.come_back(state).status_code == 302  # it was not spent by that


def test_a_second_browser_cannot_use_it_afterwards_either(browser: LogInBrowser, li: Member, wecom: Peer):
    state = browser.begin()["state"]
    browser.come_back(state)
    assert refused(LogInBrowser().come_back(state))


def test_a_stolen_cookie_cannot_redeem_a_second_time(browser: LogInBrowser, li: Member, wecom: Peer):
    state = browser.begin()["state"]
    thief = LogInBrowser()
    thief.cookies["wecom_login"] = browser.cookies["wecom_login"].value
    browser.come_back(state)
    assert refused(thief.come_back(state))
    assert thief.user_id is None


@pytest.mark.parametrize(("seconds", "good"), [(590, True), (610, False)])
def test_ten_minutes_are_enough_or_too_late(li: Member, wecom: Peer, seconds: int, good: bool):
    browser = LogInBrowser()
    with time_machine.travel("2026-03-01T08:00:00Z", tick=False) as now:
        state = browser.begin()["state"]
        now.shift(seconds)
        browser.cookies["wecom_login"]["expires"] = browser.cookies["wecom_login"]["max-age"] = ""  # keeps it too long
        response = browser.come_back(state)
    assert (response.status_code == 302) is good
    assert good or refused(response)


def test_an_old_tab_stays_old_when_a_new_one_is_opened(li: Member, wecom: Peer):
    browser = LogInBrowser()
    with time_machine.travel("2026-03-01T08:00:00Z", tick=False) as now:
        old = browser.begin()["state"]
        now.shift(500)
        new = browser.begin()["state"]
        now.shift(200)
        assert refused(browser.come_back(old))
        assert browser.come_back(new).status_code == 302


def test_three_tabs_work_at_once(browser: LogInBrowser, li: Member, wecom: Peer):
    begun = [browser.begin(next=f"/admin/?tab={number}")["state"] for number in range(4)]
    assert refused(browser.come_back(begun[0]))
    landed = [browser.come_back(state).headers["Location"] for state in begun[1:]]
    assert landed == ["/admin/?tab=1", "/admin/?tab=2", "/admin/?tab=3"]


def test_a_forged_cookie_is_no_cookie(browser: LogInBrowser, li: Member, wecom: Peer):
    state = browser.begin()["state"]
    value = browser.cookies["wecom_login"].value
    browser.cookies["wecom_login"] = value[:-2] + ("aa" if value[-2:] != "aa" else "bb")
    assert refused(browser.come_back(state))


def test_the_cookie_is_kept_from_scripts_and_from_other_pages(browser: LogInBrowser, li: Member, wecom: Peer):
    browser.begin()
    cookie = browser.cookies["wecom_login"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (
        True,
        "Lax",
        "/wecom/login",
        600,
    )
    browser.log_in()


def test_the_cookie_goes_when_the_last_log_in_is_over(browser: LogInBrowser, li: Member, wecom: Peer):
    response = browser.log_in()
    assert response.cookies["wecom_login"]["max-age"] == 0


def test_over_https_the_cookie_is_secure(browser: LogInBrowser, li: Member, settings: Settings):
    settings.SESSION_COOKIE_SECURE = True
    browser.begin()
    assert browser.cookies["wecom_login"]["secure"] is True


def test_one_of_many_at_once_redeems(settings: Settings):
    """The second of two identical requests must not even ask WeCom."""
    from concurrent.futures import ThreadPoolExecutor

    request = RequestFactory().get("/wecom/login")
    response = HttpResponse()
    pending = states.Pending("qr", "")
    states.remember(request, response, pending)
    request.COOKIES["wecom_login"] = response.cookies["wecom_login"].value

    def redeem(_number: int) -> bool:
        try:
            return states.redeem(request, pending.state) == pending
        except states.StateRefused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(redeem, range(32))) == 1


def test_without_redis_nobody_is_let_through(settings: Settings):
    request, response, pending = RequestFactory().get("/wecom/login"), HttpResponse(), states.Pending("qr", "")
    states.remember(request, response, pending)
    request.COOKIES["wecom_login"] = response.cookies["wecom_login"].value
    settings.REDIS_URL = refused_url().replace("http", "redis")
    with pytest.raises(RetryableError):
        states.redeem(request, pending.state)
