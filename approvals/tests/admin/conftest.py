"""The admin as people use it: Django's test client, logged in, reading the pages' messages."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from redis import Redis

from approvals.tests.traffic.conftest import standin, template

__all__ = ["standin", "template"]


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


@pytest.fixture
def log_in() -> Callable[..., Browser]:
    def login(user: User, language: str = "en") -> Browser:
        client = Browser()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        client.cookies["django_language"] = language
        return client

    return login


@pytest.fixture
def asked_of_workers() -> Callable[[], list[str]]:
    """Arguments, as text, of every comparison of chosen approvals that waits for a worker."""

    def read() -> list[str]:
        with Redis.from_url(os.environ["REDIS_URL"]) as redis:
            headers = [json.loads(raw)["headers"] for raw in redis.lrange("celery", 0, -1)]  # type: ignore[union-attr]
        return [entry["kwargsrepr"] for entry in headers if "ids" in entry["kwargsrepr"]]

    return read
