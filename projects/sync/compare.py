"""What of a page differs from the mirror. One query, nothing written.

The hash decides: an item whose hash is the stored one is not even parsed.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from projects.errors import BadProject
from projects.models import ProjectCache
from projects.parsing import Fetched, Reader
from projects.remote import Page


class Refusal(NamedTuple):
    """A project that could not be used, and why. ``remote_id``: ``""`` when it has none."""

    remote_id: str
    reason: str


@dataclass(slots=True)
class Difference:
    """A page against the mirror."""

    asked_at: datetime
    """When the page was asked for."""
    new: list[Fetched] = field(default_factory=list)
    """Without a copy."""
    changed: list[Fetched] = field(default_factory=list)
    """With other content than their copies, or listed again."""
    unchanged: int = 0
    present: list[int] = field(default_factory=list)
    """Primary keys of the listed copies that the page speaks of, those included whose item is of no use now."""
    refused: list[Refusal] = field(default_factory=list)
    unusable: list[int] = field(default_factory=list)
    """Primary keys of copies whose items are of no use now: they may be out of date, and nobody knows."""
    usable_again: list[int] = field(default_factory=list)
    """Primary keys of copies that were not confirmed for a while, and are as their library has them."""


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


COLUMNS = ("remote_id", "id", "content_hash", "source_id", "type", "removed_at", "unconfirmed_since")
Known = tuple[str, int, str, int, str, datetime | None, datetime | None]
"""The values of ``COLUMNS``."""


def _look_up(remote_ids: Collection[str]) -> dict[str, Known]:
    """What comparing needs of the copies of these projects. Past the ORM: five hundred parameters cost it more than
    the database needs for its answer."""
    quote = connection.ops.quote_name
    columns = ", ".join(map(quote, COLUMNS))
    # one parameter, however many there are, and as JSON: psycopg writes arrays value by value
    if connection.vendor == "postgresql":
        among = "= ANY(ARRAY(SELECT json_array_elements_text(%s)))"
    else:
        among = "IN (SELECT value FROM json_each(%s))"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {quote(ProjectCache._meta.db_table)} WHERE remote_id {among}",  # noqa: S608
            [json.dumps(list(remote_ids))],
        )
        return {row[0]: row for row in cursor.fetchall()}


def _place(
    difference: Difference, reader: Reader, source_id: int, item: Any, known: Known | None, types: Collection[str]
) -> None:
    if known is None:
        project = reader.parse(item)
        if project.type in types:
            difference.new.append(Fetched(project, difference.asked_at))
        return
    _remote_id, key, content_hash, known_source, kind, removed_at, unconfirmed_since = known
    if known_source != source_id:
        raise BadProject(_("Another source has a project of the same ID."))
    if removed_at is None:
        if kind in types:
            difference.present.append(key)
        if content_hash == reader.hash_of(item):
            difference.unchanged += kind in types
            if unconfirmed_since is not None and kind in types:
                difference.usable_again.append(key)
            return
    try:
        project = reader.parse(item)
    except BadProject:
        if unconfirmed_since is None:
            difference.unusable.append(key)
        raise
    difference.changed.append(Fetched(project, difference.asked_at))
