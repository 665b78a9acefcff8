"""Reminding those whose turn it is: asked for by the applicant, or because an approval is overdue."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from approvals import steps
from approvals.actors import Actor
from approvals.models import ApprovalInstance, Outcome
from approvals.record import announce, controlled, save, write_entry


def next_reminder(instance: ApprovalInstance) -> datetime | None:
    """From when somebody may remind again (APPROVAL_REMIND_MINUTES after the last time); None: at any time."""
    if instance.last_reminded_at is None:
        return None
    again = instance.last_reminded_at + timedelta(minutes=settings.APPROVAL_REMIND_MINUTES)
    return again if again > timezone.now() else None


def remind_locked(instance: ApprovalInstance, *, actor: Actor, comment: str = "") -> None:
    """Write down the reminder of a locked, pending approval, and queue the messages."""
    before = controlled(instance)
    instance.last_reminded_at = timezone.now()
    save(instance, before=before)
    entry = write_entry(
        instance,
        actor=actor,
        action="remind",
        outcome=Outcome.APPLIED,
        from_status=instance.status,
        comment=comment,
    )
    waiting = steps.open_steps(instance.steps.all())
    told = [userid for step in waiting for userid in (step.userid, step.delegated_to)]
    announce(instance, actor=actor, entry=entry, to=told, verb="remind")
