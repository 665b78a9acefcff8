"""Agreeing and rejecting: the decision of one approver, in whichever channel it is taken."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals import permissions, steps
from approvals.actors import Actor
from approvals.exceptions import InvalidInput, NotAllowed
from approvals.models import ApprovalInstance, Flow, InstanceStatus, Outcome, StepStatus
from approvals.record import announce, await_wecom, controlled, lock_for, move, save, write_entry
from approvals.transitions import LOCAL
from config import statements


def approve(
    *, instance: ApprovalInstance, actor: Actor, comment: str = "", event_id: str = "", node: int | None = None
) -> ApprovalInstance:
    """Agree in the actor's place; the approval is approved once every step agrees.

    ``event_id``: of the callback that it came with, for the timeline. ``node``: only in the actor's own place in this
    node of the chain, as a card asks; never in somebody else's. Raises WrongState, NotAllowed.
    """
    return _decide(instance, actor, "approve", StepStatus.APPROVED, comment, event_id=event_id, node=node)


def reject(*, instance: ApprovalInstance, actor: Actor, reason: str) -> ApprovalInstance:
    """Reject the whole approval. Raises InvalidInput without a reason, WrongState, NotAllowed."""
    if not reason.strip():
        raise InvalidInput({"reason": [_("A rejection needs a reason.")]})
    return _decide(instance, actor, "reject", StepStatus.REJECTED, reason)


def _decide(
    instance: ApprovalInstance,
    actor: Actor,
    verb: str,
    step_status: StepStatus,
    comment: str,
    *,
    event_id: str = "",
    node: int | None = None,
) -> ApprovalInstance:
    with transaction.atomic():
        instance = lock_for(instance, verb)
        known = steps.of(instance)
        mine = permissions.deciding_steps(actor, instance, known)
        if node is not None and node not in {step.node for step in mine}:
            raise NotAllowed(_("It is not your turn in this approval."), code="not_your_turn")
        before = controlled(instance)
        told = [step.userid for step in steps.open_steps(known)] + [instance.applicant_userid]
        now = timezone.now()
        change = {
            "status": step_status,
            "comment": comment,
            "time": now,
            "decided_here": instance.flow != Flow.INTERNAL,
        }
        statements.update(mine, change)
        if verb == "reject" or not mine or steps.all_agreed(known):
            move(instance, LOCAL[verb][InstanceStatus(instance.status)], channel=actor.channel, at=now)
        await_wecom(instance, known)
        save(instance, before=before)
        entry = write_entry(
            instance,
            actor=actor,
            action=verb,
            outcome=Outcome.APPLIED,
            from_status=before["status"],
            event_id=event_id,
            comment=comment,
        )
        announce(instance, actor=actor, entry=entry, to=told, verb=verb)
        return instance
