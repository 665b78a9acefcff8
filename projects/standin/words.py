"""The words of this library: its types, and the states that a project of each type goes through."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

TYPES: dict[str, str | Promise] = {"presale": _("Presale"), "aftersales": _("After-sales"), "sales": _("Sales")}
STATUSES: dict[str, str | Promise] = {
    "pending": pgettext_lazy("project", "Pending"),
    "processing": pgettext_lazy("project", "In progress"),
    "resolved": pgettext_lazy("project", "Resolved"),
    "shipped": pgettext_lazy("project", "Shipped"),
    "completed": pgettext_lazy("project", "Completed"),
}
ROLES: dict[str, str | Promise] = {"customer": _("Customer"), "engineer": _("Engineer"), "salesman": _("Salesman")}
WAYS: dict[str, tuple[str, ...]] = {
    "presale": ("pending", "processing", "completed"),
    "aftersales": ("pending", "processing", "resolved", "completed"),
    "sales": ("pending", "processing", "shipped", "completed"),
}
COLOURS = {"pending": "gone", "processing": "open", "resolved": "good", "shipped": "open", "completed": "good"}


def next_status(kind: str, status: str) -> str:
    """The state after ``status``; the first one after the last."""
    way = WAYS[kind]
    return way[(way.index(status) + 1) % len(way)] if status in way else way[0]
