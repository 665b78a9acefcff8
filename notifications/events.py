"""What can be told: each event with the facts that its messages may name, and the words it comes with.

An app says in ``AppConfig.ready()`` which events it has (``register_event``); after each ``migrate`` a
``MessageTemplate`` is made for every channel and language that has none. From then on the words are the operator's:
nothing here writes them again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from wecom.errcodes import Text


@dataclass(frozen=True, slots=True)
class Variable:
    """A fact that a text may name: ``{{ name }}``."""

    name: str
    label: Text
    """What it means, for who writes the text."""
    sample: Text
    """Stands in for the fact in a preview while nothing real has happened."""


def _no_example() -> None:
    return None


def _never_quiet(_now: datetime) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that people are told about."""

    name: str
    """``project.status_changed``"""
    label: Text
    variables: tuple[Variable, ...]
    channels: tuple[str, ...]
    """Kinds of channels that it may be told by."""
    defaults: Mapping[tuple[str, str], tuple[str, str]]
    """(channel, language) → (subject, text); subjects are for emails, empty elsewhere."""
    example: Callable[[], Mapping[str, Any] | None] = field(default=_no_example)
    """The facts of the latest real occasion, for previews; None while there is none."""
    roles: Mapping[str, Text] = field(default_factory=dict)
    """What the roles of its recipients are called."""
    quiet: Callable[[datetime], datetime | None] = field(default=_never_quiet)
    """Given a moment: when the quiet hours it falls into end, or None when it falls into none."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(variable.name for variable in self.variables)

    def samples(self, language: str) -> dict[str, str]:
        with translation.override(language):
            return {variable.name: str(variable.sample) for variable in self.variables}

    def default(self, channel: str, language: str) -> tuple[str, str]:
        """Subject and text as they came with the event; in the site's language when there are none in this one."""
        found = self.defaults.get((channel, language)) or self.defaults.get((channel, settings.LANGUAGE_CODE))
        return found or ("", "")


_registered: dict[str, Event] = {}


def register_event(event: Event) -> None:
    """To be called in ``AppConfig.ready()``."""
    _registered[event.name] = event


def events() -> list[Event]:
    return list(_registered.values())


def event_named(name: str) -> Event:
    """Raises KeyError for an event that nobody has registered."""
    return _registered[name]


def names() -> frozenset[str]:
    return frozenset(_registered)


def label_of(name: str) -> str:
    """What the event is called; its name, when no app knows it any more."""
    return str(_registered[name].label) if name in _registered else name


def role_label_of(name: str, role: str) -> str:
    """What a recipient's role is called; the role itself, when the event has no word for it."""
    return str(_registered[name].roles.get(role, role)) if name in _registered else role


def create_templates(*, using: str = "default", **_: Any) -> None:
    """post_migrate receiver: a template exists for every event, channel and language that has words."""
    from notifications.models import MessageTemplate

    MessageTemplate.objects.using(using).bulk_create(
        [
            MessageTemplate(event=event.name, channel=channel, language=language, subject=subject, body=body)
            for event in events()
            for (channel, language), (subject, body) in event.defaults.items()
        ],
        ignore_conflicts=True,
    )
