"""Phones of people, most of whom have no account here: Django's client with CSRF checks, which presses real buttons."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from wecom.login.members import SESSION_KEY
from wecom.models import Member, WeComConfig

WXWORK = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 wxwork/4.1.36 MicroMessenger/7.0.1 Language/zh"


class Phone:
    def __init__(self, language: str = "en") -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"user-agent": WXWORK, "accept-language": language})

    @classmethod
    def of(cls, person: Member | User, language: str = "en") -> Phone:
        phone = cls(language)
        if isinstance(person, User):
            phone.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        else:
            session = phone.client.session
            session[SESSION_KEY] = person.pk
            session.save()
            phone.client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
        return phone

    def open(self, path: str, **query: str) -> Any:
        """The answer itself, no redirect followed."""
        self.answer = self.client.get(path, query)
        return self.answer

    def press(self, button: str, **typed: str) -> Any:
        """Send the form of the page whose button says ``button``; the answer at the end of all redirects."""
        page = self.answer.content.decode()
        forms = re.findall(r"<form([^>]*)>(.*?)</form>", page, re.DOTALL)
        outside = re.search(rf'<button[^>]*form="(\w+)"[^>]*>{button}</button>', page)
        attributes, inside = next(
            form for form in forms if f">{button}</button>" in form[1] or (outside and f'id="{outside[1]}"' in form[0])
        )
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inside)) | typed
        action = re.search(r'action="([^"]*)"', attributes)
        assert action is not None
        send = self.client.post if 'method="post"' in attributes else self.client.get
        self.answer = send(unescape(action[1]), fields, follow=True)
        return self.answer

    def offers(self, button: str) -> bool:
        """Whether the page has a button or a link with these words."""
        return bool(re.search(rf">{button}</(?:button|a)>", self.answer.content.decode()))

    @property
    def text(self) -> str:
        """What the page says, without its mark-up."""
        body = self.answer.content.decode().partition("<body")[2]
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", body.partition(">")[2])).split())


@pytest.fixture
def member(wecom_app: WeComConfig) -> Callable[..., Member]:
    def make(userid: str, name: str, **more: Any) -> Member:
        return Member.objects.create(**{"config": wecom_app, "userid": userid, "name": name, "status": 1} | more)

    return make


@pytest.fixture
def ma(member: Callable[..., Member]) -> Member:
    """Approves, and has no user here."""
    return member("ma.cfo", "马莉")


@pytest.fixture
def qian(member: Callable[..., Member]) -> Member:
    """Takes part in nothing, and has no user either."""
    return member("qian.ops", "钱宁")
