"""Revisions of a quote: which was submitted before, and what has changed since, in the words of every place that tells.

Contents are sealed ones (``quotes.snapshot``); texts are in the language of now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple

from django.utils.formats import date_format, number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from approvals.models import ApprovalInstance, Quote
from approvals.money import money, total_of
from approvals.quotes import CONTENT_FIELDS

Content = Mapping[str, Any]


class Change(NamedTuple):
    """One difference between two contents. ``label`` says of what; an empty ``old`` was added, an empty ``new`` is
    gone."""

    label: str
    old: str
    new: str


def submitted_before(quote_id: int, revision: int) -> Content | None:
    """What was submitted last before this revision; None if nothing was."""
    rows = ApprovalInstance.objects.filter(quote=quote_id, revision__lt=revision)
    content: Content | None = rows.order_by("-pk").values_list("snapshot", flat=True).first()
    return content


def change_of_total(content: Content, earlier: Content | None) -> str:
    """How far the total is from that of the last submitted revision: ``+300.00 (+9.1 %)``."""
    if earlier is None:
        return _("First submission")
    if earlier["currency"] != content["currency"]:
        return _("Before: %(total)s") % {"total": total_of(earlier)}
    before, after = Decimal(earlier["total"]), Decimal(content["total"])
    if before == after:
        return _("Total as before")
    sign = "+" if after > before else "−"
    amount = f"{sign}{money(abs(after - before))}"
    if not before:
        return amount
    share = abs(after - before) / before * 100
    return f"{amount} ({sign}{number_format(round(share, 1), 1, force_grouping=True)} %)"


def changes(content: Content, earlier: Content | None) -> list[Change]:
    """What changed since ``earlier``: fields first, then items by position; nothing since nothing."""
    if earlier is None:
        return []
    fields = [
        Change(field_label(name), _shown(name, earlier), _shown(name, content))
        for name in (*CONTENT_FIELDS, "total")
        if earlier.get(name) != content.get(name)
    ]
    items = [
        Change(capfirst(_("item %(number)s") % {"number": number}), old, new)
        for number, (old, new) in enumerate(zip_longest(_lines(earlier), _lines(content), fillvalue=""), start=1)
        if old != new
    ]
    return fields + items


def field_label(name: str) -> str:
    """What a field of a quote's content, or its total, is called."""
    return capfirst(str(Quote._meta.get_field(name).verbose_name))  # type: ignore[union-attr]


def day_of(iso: str) -> str:
    """A date of a content as people write it; empty stays empty."""
    return date_format(date.fromisoformat(iso), "DATE_FORMAT") if iso else ""


def item_line(item: Mapping[str, str]) -> str:
    """``Pump X1 DN50: 3 × 1,200.50 = 3,601.50``"""
    name = " ".join(filter(None, (item["name"], item["specification"])))
    return f"{name}: {item['quantity']} × {money(item['unit_price'])} = {money(item['amount'])}"


def _shown(name: str, content: Content) -> str:
    value = str(content.get(name, ""))
    if name == "total":
        return money(value) if value else ""
    return day_of(value) if name == "valid_until" else value


def _lines(content: Content) -> list[str]:
    return [item_line(item) for item in content.get("items", [])]
