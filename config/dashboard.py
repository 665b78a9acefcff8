"""The numbers on the admin's first page: what needs somebody. An app registers its own in its admin."""

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


_registered: dict[tuple[str, str], tuple[int, Kind]] = {}


def register_cards(*kinds: Kind, place: int) -> None:
    """To be called by admin modules. ``place`` orders the page; kinds registered together keep their order."""
    for kind in kinds:
        _registered[kind.changelist, kind.query] = (place, kind)


def cards(request: HttpRequest) -> list[Card]:
    """One card for each number that this person may see; one small query each."""
    kinds = [kind for _place, kind in sorted(_registered.values(), key=lambda entry: entry[0])]
    return [_card(request.user, kind) for kind in kinds if request.user.has_perm(kind.permission)]


def _card(user: Any, kind: Kind) -> Card:
    count = kind.rows(user).order_by().values("pk")[: COUNTED + 1].count()
    url = f"{reverse(f'admin:{kind.changelist}_changelist')}?{kind.query}"
    return Card(kind.label, count, url, kind.icon, kind.tone if count else "quiet")
