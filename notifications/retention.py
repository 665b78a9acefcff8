"""How long messages and incidents are kept once nobody has to do anything about them: they name people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import shared_task
from django.db.models import QuerySet
from django.utils import timezone

from config.durable import Status
from notifications.models import Incident, Notification

KEPT_FOR = timedelta(days=365)
SETTLED = (Status.SUCCEEDED, Status.DEAD)
BATCH = 1000
"""Rows per commit: a long transaction would hold up the intake on SQLite."""


@shared_task(name="notifications.retention")
def purge() -> dict[str, int]:
    """Delete settled messages written, and incidents resolved, more than ``KEPT_FOR`` ago; returns how many of each."""
    before = timezone.now() - KEPT_FOR
    return {
        "messages": _delete(Notification.objects.filter(created_at__lt=before, status__in=SETTLED)),
        "incidents": _delete(Incident.objects.filter(resolved_at__lt=before)),
    }


def _delete(old: QuerySet[Any]) -> int:
    deleted = 0
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # asked again by the deletion: somebody may be having a dead one sent again at this moment
        count = old.filter(pk__in=batch).delete()[0]
        if not count:
            break
        deleted += count
    return deleted
