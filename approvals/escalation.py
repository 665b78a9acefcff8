"""Escalation: nobody has decided for too long, so one more person may."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from approvals import steps
from approvals.actors import Actor
from approvals.models import ApprovalInstance, ApprovalStep, Outcome
from approvals.record import announce, lock_for, tell, write_entry
from wecom.directory import name_of


def escalate(*, instance: ApprovalInstance, to: str, actor: Actor) -> bool:
    """Let the member ``to`` decide in the place of those whose turn it is; once in the life of an approval.

    They may still decide themselves. A delegate that somebody has chosen stays. Who is an approver of the step already
    is only told, and the applicant decides nothing. Returns whether anything was written. Raises WrongState.
    """
    with transaction.atomic():
        instance = lock_for(instance, "delegate")
        if instance.escalated_at is not None:
            return False
        instance.escalated_at = timezone.now()
        instance.save(update_fields=["escalated_at"])
        is_applicant = to.casefold() == instance.applicant_userid.casefold()
        lent = [] if is_applicant else _lend(instance, to)
        entry = write_entry(
            instance,
            actor=actor,
            action="escalate",
            outcome=Outcome.REFUSED if is_applicant else Outcome.APPLIED,
            from_status=instance.status,
            details={"delegate_to": to, "delegate_name": name_of(to, config_id=instance.config_id)},
        )
        if lent:
            announce(instance, actor=actor, entry=entry, to=[to], verb="escalate")
        elif not is_applicant:
            tell(instance, actor=actor, entry=entry, to=[to], verb="escalate")
        return True


def _lend(instance: ApprovalInstance, to: str) -> list[ApprovalStep]:
    """The open steps on which ``to`` may decide from now on."""
    waiting = steps.open_steps(instance.steps.all())
    if any(steps.belongs_to(step, to) for step in waiting):
        return []
    lent = [step for step in waiting if not step.delegated_to]
    for step in lent:
        step.delegated_to = to
    ApprovalStep.objects.bulk_update(lent, ["delegated_to"])
    return lent
