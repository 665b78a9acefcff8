"""Browsers on their way to a scripted WeCom and back, and the member who logs in."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from wecom.models import Member, WeComConfig
from wecom.tests.peers import Peer

WXWORK = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 wxwork/4.1.36 MicroMessenger/7.0.1 Language/zh"
CODE = "canary-code-8bT1xQ"


class LogInBrowser(Client):
    """A browser at the site's own address, in English."""

    def __init__(self, agent: str = "Mozilla/5.0 Chrome/140.0", **defaults: Any) -> None:
        super().__init__(headers={"user-agent": agent}, **defaults)
        self.cookies["django_language"] = "en"

    def begin(self, **query: str) -> dict[str, str]:
        """Press the button; the query with which WeCom's page is asked."""
        response = self.get("/wecom/login", query)
        assert response.status_code == 302, response.content
        return query_of(response)

    def come_back(self, state: str, code: str = CODE) -> Any:
        return self.get("/wecom/login/return", {"code": code, "state": state})

    def log_in(self, **query: str) -> Any:
        return self.come_back(self.begin(**query)["state"])

    @property
    def user_id(self) -> str | None:
        """Who is logged in."""
        return self.session.get("_auth_user_id")


def query_of(response: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


@pytest.fixture
def browser() -> LogInBrowser:
    return LogInBrowser()


@pytest.fixture
def default_app(app: WeComConfig, db: None, settings: Settings) -> WeComConfig:
    settings.API_BASE_URL = "http://testserver"
    app.is_default = True
    app.save()
    return app


@pytest.fixture
def li(default_app: WeComConfig) -> Member:
    """A member who is linked to a member of staff."""
    user = User.objects.create_user("li", password="right", is_staff=True)
    return Member.objects.create(config=default_app, userid="li.mei", name="李梅", user=user, status=1)


@pytest.fixture
def wecom(peer: Peer) -> Peer:
    """A WeCom that takes every code for Li's."""
    peer.answer("auth/getuserinfo", {"errcode": 0, "errmsg": "ok", "userid": "li.mei"})
    return peer
