"""An event that only tests know, with words for every channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from notifications import delivery, events
from notifications.events import Event, Variable, register_event
from notifications.models import MessageTemplate

TOLD = "test.told"


class Told:
    """What the test event answers when it is asked; a test may change it."""

    facts: dict[str, str] | None = None
    quiet_until: datetime | None = None


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    return Told()


@pytest.fixture
def event(monkeypatch: pytest.MonkeyPatch, told: Told, request: pytest.FixtureRequest) -> Event:
    """Registered for this test alone."""
    monkeypatch.setattr(events, "_registered", dict(events._registered))
    words = {
        (channel, language): ("{{ number }}" if channel == "email" else "", text)
        for language, text in (("zh-hans", "{{ number }} 现为 {{ status }}"), ("en", "{{ number }} is {{ status }}"))
        for channel in ("wechat", "email")
    }
    made = Event(
        name=TOLD,
        label="Told",
        variables=(Variable("number", "the number", "P-1001"), Variable("status", "the new state", "shipped")),
        channels=("wechat", "email"),
        defaults=words,
        example=lambda: told.facts,
        quiet=lambda _now: told.quiet_until,
    )
    register_event(made)
    return made


@pytest.fixture
def templates(event: Event, db: None) -> list[MessageTemplate]:
    """The words of the test event as rows."""
    events.create_templates()
    return list(MessageTemplate.objects.filter(event=TOLD))


@pytest.fixture(autouse=True)
def _nobody_rests() -> Iterator[None]:
    delivery._resting_until.clear()
    yield
    delivery._resting_until.clear()


@pytest.fixture
def log_in() -> Callable[..., Client]:
    """A browser of somebody with just these rights."""

    def login(*codenames: str, superuser: bool = False, language: str = "en", **extra: Any) -> Client:
        user = User.objects.create_user(f"user{User.objects.count()}", is_staff=True, is_superuser=superuser)
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
        client = Client(**extra)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        client.cookies["django_language"] = language
        return client

    return login
