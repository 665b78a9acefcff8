"""What is no longer kept: copies that their library gave up, links and looks of long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone

from projects.models import ProjectAccessLog, ProjectAccessToken, ProjectCache
from projects.models.cache import GRACE

BATCH = 500
LOG_KEPT = timedelta(days=180)


def purge_cache(*, now: datetime | None = None) -> int:
    """Delete the copies that were gone for longer than the grace period, with their links; returns how many.

    Never a copy whose library is merely away: only a complete list, or the library's own word, says “gone”.
    """
    return _delete(ProjectCache.objects.past_grace(now=now or timezone.now()))


def purge_tokens(*, now: datetime | None = None) -> int:
    """Delete the links that expired longer than the grace period ago; returns how many.

    Until then whoever opens one is told that it has expired, and may ask for a new one.
    """
    return _delete(ProjectAccessToken.objects.filter(expires_at__lt=(now or timezone.now()) - GRACE))


def purge_access_log(*, now: datetime | None = None) -> int:
    """Delete the looks of more than LOG_KEPT ago; returns how many."""
    return _delete(ProjectAccessLog.objects.filter(at__lt=(now or timezone.now()) - LOG_KEPT))


def _delete(rows: models.QuerySet) -> int:
    """In batches: one transaction over everything would hold up SQLite's one writer. Counts the rows themselves, not
    what goes with them."""
    deleted = 0
    while batch := _delete_batch(rows):
        deleted += batch
    return deleted


def _delete_batch(rows: models.QuerySet) -> int:
    """What is deleted is locked first: Django deletes by key what it has read before, and a run may bring a copy back
    in between."""
    with transaction.atomic():
        keys = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True)[:BATCH])
        rows.filter(pk__in=keys).delete()
    return len(keys)
