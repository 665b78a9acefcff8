"""What a template makes of real facts, while somebody is still writing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation

from notifications.channels import channel_class
from notifications.events import Event
from notifications.rendering import Problem, check, render


@dataclass(frozen=True, slots=True)
class Preview:
    subject: str
    body: str
    size: str
    """How long the text is, in what the channel counts."""
    problems: dict[str, list[Problem]]
    """Field → what is wrong with it."""
    real: bool
    """Whether the facts are those of something that has happened; else they are samples."""

    def as_json(self) -> dict[str, Any]:
        problems = [str(problem) for found in self.problems.values() for problem in found]
        return {
            "subject": self.subject,
            "body": self.body,
            "size": self.size,
            "problems": problems,
            "real": self.real,
        }


def preview(event: Event, channel: str, language: str, *, subject: str, body: str) -> Preview:
    """Never raises for what somebody typed; the rest of the text is shown beside what is wrong."""
    facts = facts_for(event, language)
    text = render(body, facts or event.samples(language)).strip()
    return Preview(
        subject=" ".join(render(subject, facts or event.samples(language)).split()),
        body=text,
        size=str(channel_class(channel).size_of(text)),
        problems=problems_of(event, subject=subject, body=body),
        real=facts is not None,
    )


def facts_for(event: Event, language: str) -> dict[str, str] | None:
    """The facts of the latest real occasion in ``language``, or None."""
    with translation.override(language):
        found = event.example()
        return None if found is None else {name: str(fact) for name, fact in found.items()}


def problems_of(event: Event, **texts: str) -> dict[str, list[Problem]]:
    """Field → what is wrong with its text; only fields with something wrong."""
    checked: Mapping[str, list[Problem]] = {field: check(text, event.names) for field, text in texts.items()}
    return {field: found for field, found in checked.items() if found}
