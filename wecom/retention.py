"""How long the raw text of callbacks is kept: it names people and what they wrote, and nobody needs it for ever.

The row stays, because its key is what tells a redelivery from a new event; so do outcome and times.
"""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from config.durable import Status
from wecom.models import CallbackEvent

KEPT_FOR = timedelta(days=180)
SETTLED = (Status.SUCCEEDED, Status.DEAD)
BATCH = 1000
"""Rows per commit: a long transaction would hold up the intake on SQLite."""


@shared_task(name="wecom.retention")
def empty_old_payloads() -> int:
    """Empty the payload of settled events that came more than ``KEPT_FOR`` ago; returns how many."""
    old = CallbackEvent.objects.filter(created_at__lt=timezone.now() - KEPT_FOR, status__in=SETTLED).exclude(payload="")
    emptied = 0
    while batch := list(old.values_list("pk", flat=True)[:BATCH]):
        # asked again by the update: somebody may be having one processed again at this moment
        count = old.filter(pk__in=batch).update(payload="")
        if not count:
            break
        emptied += count
    return emptied
