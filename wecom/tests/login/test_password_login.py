"""PASSWORD_LOGIN: who may still use a password once there is another way in."""

from __future__ import annotations

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from wecom.login import doctor
from wecom.models import Member, WeComConfig
from wecom.tests.login.conftest import LogInBrowser
from wecom.tests.peers import Peer


def log_in(username: str, password: str = "right", client: Client | None = None) -> int:
    form = {"username": username, "password": password}
    return (client or Client()).post("/admin/login/?next=/health", form).status_code


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", password="right")


@pytest.fixture
def restricted(settings: Settings) -> None:
    settings.PASSWORD_LOGIN = "superusers"


@pytest.fixture
def open_to_all(settings: Settings) -> None:
    settings.PASSWORD_LOGIN = "everybody"


def test_by_default_superusers_alone_may(li: Member, root: User):
    assert [log_in("li"), log_in("root")] == [200, 302]


def test_everybody_may_where_that_is_wanted(li: Member, root: User, open_to_all: None):
    assert [log_in("li"), log_in("root")] == [302, 302]


def test_restricted_to_superusers_a_right_password_is_like_a_wrong_one(li: Member, root: User, restricted: None):
    assert log_in("root") == 302
    right, wrong = Client(), Client()
    pages = [
        client.post("/admin/login/", {"username": "li", "password": password})
        for client, password in ((right, "right"), (wrong, "wrong"))
    ]
    assert [page.status_code for page in pages] == [200, 200]
    assert pages[0].context["form"].errors == pages[1].context["form"].errors
    assert "_auth_user_id" not in right.session
    assert AccessAttempt.objects.get(username="li").failures_since_start == 2


def test_the_restricted_are_locked_out_as_well(li: Member, root: User, restricted: None):
    answers = [log_in("li") for _ in range(6)]
    assert answers[:4] == [200] * 4
    assert answers[-1] == 429


def test_superusers_are_locked_out_after_five_wrong_ones(li: Member, root: User, restricted: None):
    assert [log_in("root", "wrong") for _ in range(5)][:4] == [200] * 4
    assert log_in("root") == 429


def test_without_an_app_the_restriction_would_lock_everybody_out(li: Member, restricted: None):
    WeComConfig.objects.update(enabled=False)
    assert log_in("li") == 302


def test_the_restricted_get_in_with_wecom(browser: LogInBrowser, li: Member, wecom: Peer, restricted: None):
    assert browser.log_in().status_code == 302


def test_the_page_says_who_the_form_is_for(browser: LogInBrowser, li: Member, settings: Settings, open_to_all: None):
    assert b"Only superusers" not in browser.get("/admin/login/").content
    settings.PASSWORD_LOGIN = "superusers"
    assert b"Only superusers log in with a password" in browser.get("/admin/login/").content


def test_the_session_of_a_test_or_command_is_not_asked_for_a_password(li: Member, restricted: None):
    client = Client()
    assert li.user is not None
    client.force_login(li.user)
    assert client.get("/admin/").status_code == 200


class TestDoctor:
    def test_counts_who_can_log_in(self, li: Member, root: User):
        with translation.override("en"):
            result = doctor.log_in()
            assert result.ok
            assert str(result.sentence) == "1 staff users can log in with WeCom."

    def test_misses_somebody_who_gets_in_without_wecom(self, li: Member, settings: Settings, open_to_all: None):
        assert doctor.log_in().ok
        settings.PASSWORD_LOGIN = "superusers"
        User.objects.create_user("root", is_superuser=True, is_staff=True)  # without a password
        with translation.override("en"):
            result = doctor.log_in()
        assert not result.ok
        assert "while WeCom is away" in str(result.sentence)

    def test_without_an_app_everybody_with_a_password_gets_in(self, li: Member, restricted: None):
        assert not doctor.log_in().ok
        WeComConfig.objects.update(enabled=False)
        assert doctor.log_in().ok
