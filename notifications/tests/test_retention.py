"""Messages and incidents that are over end after a year; whatever waits for somebody stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from config.durable import Status
from notifications import retention
from notifications.models import Incident, Notification

pytestmark = pytest.mark.django_db


def message(key: str, days: int, status: Status) -> None:
    row = Notification.objects.create(
        key=key, event="x", channel="email", address="a@example.com", language="en", body="x", status=status
    )
    Notification.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))


def incident(key: str, days: int, *, over: bool) -> None:
    row = Incident.objects.create(key=key, title=key)
    at = timezone.now() - timedelta(days=days)
    Incident.objects.filter(pk=row.pk).update(opened_at=at, resolved_at=at if over else None)


def test_only_what_is_old_and_over_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(4):
        message(f"old:{number}", 366, Status.SUCCEEDED)
        incident(f"old:{number}", 366, over=True)
    message("old:dead", 366, Status.DEAD)
    message("young", 364, Status.SUCCEEDED)
    message("waits", 400, Status.FAILED)
    message("pending", 400, Status.PENDING)
    incident("young", 364, over=True)
    incident("open", 400, over=False)
    assert retention.purge() == {"messages": 5, "incidents": 4}
    assert retention.purge() == {"messages": 0, "incidents": 0}
    assert set(Notification.objects.values_list("key", flat=True)) == {"young", "waits", "pending"}
    assert set(Incident.objects.values_list("key", flat=True)) == {"young", "open"}


def test_beat_calls_a_task_that_the_worker_knows() -> None:
    task = PeriodicTask.objects.get(name="notifications: retention").task
    assert task == retention.purge.name and task in current_app.tasks
