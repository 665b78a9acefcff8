from __future__ import annotations

from celery import shared_task

from config import durable
from notifications import alert_watch, delivery
from notifications.listeners import resolve_recovered
from notifications.models import Notification


@shared_task(name="notifications.deliver")
def deliver() -> int:
    """Hands due notifications to their channels."""
    return delivery.deliver()


@shared_task(name="notifications.sweep")
def sweep() -> int:
    """Picks up messages that were left behind, and ends incidents whose trouble is over."""
    durable.sweep(Notification)
    return resolve_recovered()


@shared_task(name=alert_watch.TASK)
def alerts() -> int:
    """Looks after the rules of the operations alerts."""
    return alert_watch.look()
