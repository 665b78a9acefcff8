"""Celery's entry points into the inbox. The rows own retries, not Celery."""

from __future__ import annotations

from celery import shared_task

from config import durable
from wecom import inbox, refusals, spool
from wecom.models import CallbackEvent


@shared_task(name="wecom.process_inbox")
def process_inbox() -> int:
    return inbox.process_due()


@shared_task(name="wecom.sweep")
def sweep() -> dict[str, int]:
    """Picks up what was left behind: spooled callbacks, due events; forgets old refusals."""
    return {
        "replayed": spool.replay_spool(),
        "due": durable.sweep(CallbackEvent),
        "forgotten": refusals.trim(),
    }
