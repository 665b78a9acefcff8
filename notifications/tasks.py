from __future__ import annotations

from celery import shared_task

from notifications.listeners import resolve_recovered


@shared_task(name="notifications.sweep")
def sweep() -> int:
    """Ends incidents whose trouble is over."""
    return resolve_recovered()
