"""For which copies a complete run speaks, though it writes nothing for them, and for which it does not.

It moves its source's ``confirmed_at``. Copies whose items were of no use, and those of types that nobody asks the
library for any more, are left out by their ``unconfirmed_since``: each is as old as when it was fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from projects.models import ProjectCache, ProjectSyncConfig, ProjectSyncHistory
from projects.sync.missing import CHUNK


def unconfirmed(keys: Sequence[int], *, since: datetime) -> None:
    """The items of these copies were of no use. Not for those that were written ``since`` then."""
    for start in range(0, len(keys), CHUNK):
        copies = ProjectCache.objects.filter(pk__in=keys[start : start + CHUNK], fetched_at__lt=since)
        copies.filter(unconfirmed_since=None).update(unconfirmed_since=timezone.now())


def confirmed_again(keys: Sequence[int]) -> None:
    """These copies are as their library has them."""
    for start in range(0, len(keys), CHUNK):
        ProjectCache.objects.filter(pk__in=keys[start : start + CHUNK]).update(unconfirmed_since=None)


def covers(history: ProjectSyncHistory) -> bool:
    """Whether the run has looked at all types that its source and the settings want now."""
    source = history.source
    source.refresh_from_db(fields=["types"])
    wanted = set(source.known_types).intersection(ProjectSyncConfig.load().sync_types)
    return bool(history.project_types) and wanted.issubset(history.project_types)


def leave_out_others(history: ProjectSyncHistory) -> None:
    """Of the types that the run did not look at: they may be out of date, and nobody knows."""
    listed = ProjectCache.objects.listed().filter(source=history.source, unconfirmed_since=None)
    others = listed.exclude(type__in=history.project_types)
    if others.exists():
        others.update(unconfirmed_since=timezone.now())
