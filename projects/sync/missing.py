"""What a library no longer lists: finding it without remembering every project, and when not to believe it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.errors import RemoteAway, RemoteLied
from projects.models import ProjectCache, RemoteSource
from projects.remote import RemoteLibrary

ALWAYS_ALLOWED = 3
"""The brake holds no run that would remove so few: a percentage of a handful says nothing."""
MOST_ASKED_FOR = 20
"""Projects that are asked for one by one before they count as gone."""
BLOCK = 4096
"""Keys in one block of ``Seen``; a gap between keys costs nothing."""
CHUNK = 2000
ASKING = 120.0
"""Seconds that all these questions may take together; a library that needs longer is taken for away."""

_NOT_REMOVED = _("Nothing was removed; the next run looks again.")


class Found(NamedTuple):
    """A project that the list left out."""

    pk: int
    asked_at: datetime
    item: dict[str, Any]


class Seen:
    """A set of primary keys, one bit each: what a run has seen must not cost memory."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}
        self._count = 0

    def add(self, keys: Iterable[int]) -> None:
        blocks = self._blocks
        for key in keys:
            number, place = divmod(key, BLOCK)
            block = blocks.get(number)
            if block is None:
                block = blocks[number] = bytearray(BLOCK // 8)
            bit = 1 << (place & 7)
            if not block[place >> 3] & bit:
                block[place >> 3] |= bit
                self._count += 1

    def __contains__(self, key: int) -> bool:
        number, place = divmod(key, BLOCK)
        block = self._blocks.get(number)
        return block is not None and bool(block[place >> 3] & (1 << (place & 7)))

    def __len__(self) -> int:
        return self._count


def brake_holds(*, listed: int, missing: int, percent: int) -> bool:
    """Whether removing ``missing`` of ``listed`` copies needs a person's word."""
    return missing > ALWAYS_ALLOWED and missing * 100 > listed * percent


def listed_copies(source: RemoteSource, types: Sequence[str]) -> QuerySet[ProjectCache]:
    return ProjectCache.objects.listed().filter(source=source, type__in=types)


def missing_copies(source: RemoteSource, types: Sequence[str], seen: Seen, since: datetime) -> list[int]:
    """Primary keys of the listed copies that were neither ``seen`` nor written ``since`` then."""
    keys = listed_copies(source, types).filter(fetched_at__lt=since).values_list("pk", flat=True)
    return [key for key in keys.iterator(chunk_size=CHUNK) if key not in seen]


def still_there(library: RemoteLibrary, keys: Sequence[int], alive: Callable[[], object]) -> list[Found]:
    """Ask the library for the missing projects by their IDs, for a part of them if they are many.

    Missing from the list is a hint, no proof: pages shift while they are read, and lists are cut off. Returns those
    that are there after all. ``alive`` is called before every question, which takes ``read_timeout`` at most.
    Raises RemoteLied when there are such and not all could be asked for; RemoteError, also after ``ASKING`` seconds.
    """
    deadline = time.monotonic() + ASKING
    step = -(-len(keys) // MOST_ASKED_FOR) or 1
    asked = keys[::step]
    found = []
    for key, remote_id in ProjectCache.objects.filter(pk__in=asked).values_list("pk", "remote_id"):
        alive()
        if (left := deadline - time.monotonic()) <= 0:
            raise RemoteAway(_("The library's answer took too long."), remedy=_NOT_REMOVED)
        asked_at = timezone.now()
        item = library.project(remote_id, seconds=min(left, library.source.read_timeout))
        if item is not None:
            found.append(Found(key, asked_at, item))
    if found and len(asked) < len(keys):
        raise RemoteLied(
            _("Projects that are missing from the library's list are there when asked for: the list is incomplete."),
            remedy=_NOT_REMOVED,
        )
    return found


def remove(keys: Sequence[int], *, since: datetime, now: datetime) -> int:
    """Mark copies as gone, unless they were written ``since`` then; returns how many."""
    return sum(
        ProjectCache.objects.filter(pk__in=keys[start : start + CHUNK], fetched_at__lt=since, removed_at=None).update(
            removed_at=now, changed_at=now
        )
        for start in range(0, len(keys), CHUNK)
    )
