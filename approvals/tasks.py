"""Celery's entry points. The rows own retries, not Celery."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task

from approvals import batches, operations
from approvals.cards.ending import queue_ending
from approvals.models import BatchItem, SyncOperation
from approvals.overdue import act_on_overdue
from approvals.reconcile import reconcile as compare
from config import durable


@shared_task(name="approvals.run_operations")
def run_operations() -> int:
    return operations.run_due()


@shared_task(name="approvals.run_batches")
def run_batches() -> int:
    return batches.run_due()


@shared_task(name="approvals.reconcile")
def reconcile(ids: list[int] | None = None) -> dict[str, Any]:
    """All that is open, or only ``ids``."""
    return compare(ids).as_json()


@shared_task(name="approvals.cards")
def turn_ending_cards() -> int:
    return queue_ending()


@shared_task(name="approvals.sweep")
def sweep() -> int:
    return durable.sweep(SyncOperation) + durable.sweep(BatchItem)


@shared_task(name="approvals.reminders")
def reminders() -> dict[str, int]:
    """Remind of overdue approvals, and escalate them."""
    return asdict(act_on_overdue())
