"""Raw texts end after 180 days; the rows that recognise redeliveries do not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from config.durable import Status
from wecom import inbox, retention
from wecom.models import CallbackEvent, WeComConfig
from wecom.tests.inbound import make_config
from wecom.tests.test_inbox import opened, stored

pytestmark = pytest.mark.django_db


def aged(key: str, days: int, status: Status) -> CallbackEvent:
    row = stored(WeComConfig.objects.first() or make_config(), key)
    CallbackEvent.objects.filter(pk=row.pk).update(status=status, created_at=timezone.now() - timedelta(days=days))
    return row


def test_only_old_and_settled_payloads_are_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    old = [aged(f"old:{number}", 181, Status.SUCCEEDED) for number in range(4)] + [aged("old:dead", 181, Status.DEAD)]
    for key, days, status in (("young", 179, Status.SUCCEEDED), ("waits", 400, Status.FAILED)):
        aged(key, days, status)
    assert retention.empty_old_payloads() == len(old)
    assert retention.empty_old_payloads() == 0
    kept = CallbackEvent.objects.exclude(payload="").values_list("key", flat=True)
    assert sorted(kept) == ["waits", "young"]


def test_a_redelivery_is_still_recognised() -> None:
    row = aged("sys_approval_change:1", 181, Status.SUCCEEDED)
    retention.empty_old_payloads()
    assert inbox.store(opened(row.key), config_id=row.config_id) is False


def test_an_emptied_event_cannot_be_processed_again() -> None:
    row = aged("sys_approval_change:1", 181, Status.SUCCEEDED)
    retention.empty_old_payloads()
    assert inbox.replay(CallbackEvent.objects.all()) == 0
    row.refresh_from_db()
    assert row.status == Status.SUCCEEDED


def test_the_worker_knows_the_task() -> None:
    assert retention.empty_old_payloads.name in current_app.tasks
