"""Approvals that wait for too long, by their rules: reminders, then escalation.

Time counts from when the present turn began: the last decision, or the submission. Nights and holidays count too; who
does not want messages at night gives the schedule working hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.actors import Actor
from approvals.escalation import escalate
from approvals.exceptions import EngineError
from approvals.models import ApprovalInstance, ApprovalRule, Channel, InstanceStatus
from approvals.record import lock_for
from approvals.reminding import next_reminder, remind_locked

logger = structlog.get_logger(__name__)

CLOCK = Actor(channel=Channel.SYSTEM)
"""Nobody in particular."""
SHORTEST = timedelta(hours=1)
"""No rule waits for less."""


@dataclass(slots=True)
class Report:
    reminded: int = 0
    escalated: int = 0


def act_on_overdue() -> Report:
    """Remind of, and escalate, what is overdue; each approval in a transaction of its own."""
    report = Report()
    for instance, rule in _candidates():
        try:
            report.escalated += _escalate(instance, rule)
            report.reminded += _remind(instance, rule)
        except EngineError:  # decided in this very moment
            continue
        except Exception:
            logger.exception("overdue_failed", approval=instance.third_no)
    logger.info("overdue", reminded=report.reminded, escalated=report.escalated)
    return report


def turn_began(instance: ApprovalInstance) -> datetime:
    """Since when those whose turn it is have been waited for."""
    decided = [step.time for step in instance.steps.all() if step.time is not None]
    return max([instance.submitted_at, *decided])


def _candidates() -> Iterator[tuple[ApprovalInstance, ApprovalRule]]:
    escalates = Q(rule__escalate_after__isnull=False, escalated_at=None) & ~Q(rule__escalate_to="")
    rows: QuerySet[ApprovalInstance] = ApprovalInstance.objects.filter(
        Q(rule__remind_after__isnull=False) | escalates,
        status=InstanceStatus.PENDING,
        submitted_at__lte=timezone.now() - SHORTEST,
    )
    for instance in rows.select_related("rule").prefetch_related("steps").order_by("pk"):
        if instance.rule is not None:
            yield instance, instance.rule


def _escalate(instance: ApprovalInstance, rule: ApprovalRule) -> bool:
    if rule.escalate_after is None or not rule.escalate_to or instance.escalated_at is not None:
        return False
    if timezone.now() < turn_began(instance) + timedelta(hours=rule.escalate_after):
        return False
    return escalate(instance=instance, to=rule.escalate_to, actor=CLOCK)


def _remind(instance: ApprovalInstance, rule: ApprovalRule) -> bool:
    if rule.remind_after is None or not _is_due(instance, rule.remind_after):
        return False
    with transaction.atomic():
        locked = lock_for(instance, "remind")
        if not _is_due(locked, rule.remind_after) or next_reminder(locked) is not None:
            return False  # somebody has just reminded, or decided
        remind_locked(locked, actor=CLOCK)
    return True


def _is_due(instance: ApprovalInstance, hours: int) -> bool:
    since = turn_began(instance)
    if instance.last_reminded_at is not None:
        since = max(since, instance.last_reminded_at)
    return timezone.now() >= since + timedelta(hours=hours)
