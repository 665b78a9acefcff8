"""What of a page differs from the mirror. One query, nothing written.

The hash decides: an item whose hash is the stored one is not even parsed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from projects.errors import BadProject
from projects.models import ProjectCache
from projects.parsing import Parsed, Reader
from projects.remote import Page


class Refusal(NamedTuple):
    """A project that could not be used, and why. ``remote_id``: ``""`` when it has none."""

    remote_id: str
    reason: str


@dataclass(slots=True)
class Difference:
    """A page against the mirror."""

    asked_at: datetime
    changed: list[Parsed] = field(default_factory=list)
    """New ones, those with other content, and those that are listed again."""
    new: int = 0
    """How many of these have no copy yet."""
    unchanged: int = 0
    present: list[int] = field(default_factory=list)
    """Primary keys of the listed copies that the page speaks of, those included whose item is of no use now."""
    refused: list[Refusal] = field(default_factory=list)


class Known(NamedTuple):
    """The few columns that comparing needs."""

    remote_id: str
    pk: int
    content_hash: str
    source_id: int
    type: str
    removed_at: datetime | None


def compare(reader: Reader, source_id: int, page: Page, types: Collection[str]) -> Difference:
    """``page`` of a source against its copies. Of other types than ``types`` only what we have already counts."""
    difference = Difference(page.asked_at)
    items: dict[str, Any] = {}
    for item in page.items:
        try:
            items[reader.id_of(item)] = item
        except BadProject as error:
            difference.refused.append(Refusal("", str(error)))
    known = _look_up(items)
    for remote_id, item in items.items():
        try:
            _place(difference, reader, source_id, item, known.get(remote_id), types)
        except BadProject as error:
            difference.refused.append(Refusal(remote_id, str(error)))
    return difference


def _look_up(remote_ids: Collection[str]) -> dict[str, Known]:
    rows = ProjectCache.objects.filter(remote_id__in=remote_ids).values_list(*Known._fields)
    return {row[0]: Known(*row) for row in rows.iterator(chunk_size=len(remote_ids) or 1)}


def _place(
    difference: Difference, reader: Reader, source_id: int, item: Any, known: Known | None, types: Collection[str]
) -> None:
    if known is not None and known.source_id != source_id:
        raise BadProject(_("Another source has a project of the same ID."))
    if known is not None and known.removed_at is None:
        if known.type in types:
            difference.present.append(known.pk)
        if known.content_hash == reader.hash_of(item):
            difference.unchanged += known.type in types
            return
    parsed = reader.parse(item)
    if known is not None or parsed.type in types:
        difference.changed.append(parsed)
        difference.new += known is None
