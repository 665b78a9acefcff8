"""The admin as people use it: Django's test client, logged in, reading the pages' messages; and Chromium."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client


class Browser(Client):
    """A client that knows what the admin told its user last."""

    def told(self, url: str, data: dict[str, Any] | None = None) -> list[str]:
        """POST, go where it leads, and return the messages that the page there shows."""
        response = self.post(url, data or {}, follow=True)
        assert response.status_code == 200, response.status_code
        return [str(message) for message in response.context["messages"]]

    def page(self, url: str, **query: str) -> str:
        response = self.get(url, query)
        assert response.status_code == 200, (url, response.status_code)
        return response.content.decode()


def logged_in(user: User, language: str = "en") -> Browser:
    client = Browser()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    return client


class Visitor:
    """A person in front of Chromium, with everything that the browser complained about."""

    def __init__(self, page: Any, server: Any, user: User, language: str = "en") -> None:
        self.page, self.base = page, server.url
        self.complaints: list[str] = []
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookies = {
            settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
            settings.LANGUAGE_COOKIE_NAME: language,
        }
        page.context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in cookies.items()])
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: Any) -> None:
        if message.type == "error" and "favicon" not in str(message.location):
            self.complaints.append(message.text)

    def go(self, path: str) -> None:
        self.page.goto(self.base + path, wait_until="load")
