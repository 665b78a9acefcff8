"""The numbers on the admin's first page, and panels below them: what needs somebody. An app registers its own in its
admin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise

COUNTED = 1000
"""Counting stops here: a card says "1000+", and the page stays quick however much has piled up."""


@dataclass(frozen=True, slots=True)
class Card:
    """One number with a way to its list. ``tone`` colours it while it is not zero."""

    label: str | Promise
    count: int
    url: str
    icon: str
    tone: str

    @property
    def shown(self) -> str:
        return f"{COUNTED}+" if self.count > COUNTED else str(self.count)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a card counts: ``rows`` that ``user`` may see, listed by ``changelist`` with ``query``."""

    label: str | Promise
    permission: str
    rows: Callable[[Any], QuerySet[Any]]
    changelist: str
    query: str
    icon: str
    tone: str

    def card(self, user: Any) -> Card:
        count = self.rows(user).order_by().values("pk")[: COUNTED + 1].count()
        url = f"{reverse(f'admin:{self.changelist}_changelist')}?{self.query}"
        return Card(self.label, count, url, self.icon, self.tone if count else "quiet")


@dataclass(frozen=True, slots=True)
class Panel:
    """A section of its own, shown by ``template`` from ``content``; ``page`` (the name of its URL in admin) tells more,
    and ``leads`` is the link's text."""

    title: str | Promise
    permission: str
    template: str
    content: Callable[[], dict[str, Any]]
    page: str
    leads: str | Promise


_registered: list[tuple[int, Kind]] = []
_panels: list[tuple[int, Panel]] = []


def register_cards(*kinds: Kind, place: int) -> None:
    """To be called by admin modules. ``place`` orders the page; kinds registered together keep their order."""
    _registered.extend((place, kind) for kind in kinds)


def cards(request: HttpRequest) -> list[Card]:
    """One card for each number that this person may see; one small query each."""
    kinds = [kind for _place, kind in sorted(_registered, key=lambda entry: entry[0])]
    return [kind.card(request.user) for kind in kinds if request.user.has_perm(kind.permission)]


def register_panels(*panels: Panel, place: int) -> None:
    """As ``register_cards``."""
    _panels.extend((place, panel) for panel in panels)


def panels(request: HttpRequest) -> list[dict[str, Any]]:
    """The panels that this person may see: ``title``, ``template``, ``content``, ``url`` and ``leads`` of each."""
    shown = [panel for _place, panel in sorted(_panels, key=lambda entry: entry[0])]
    return [
        {
            "title": panel.title,
            "template": panel.template,
            "content": panel.content(),
            "url": reverse(f"admin:{panel.page}"),
            "leads": panel.leads,
        }
        for panel in shown
        if request.user.has_perm(panel.permission)
    ]
