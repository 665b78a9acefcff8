"""The approval engine: one function per verb, and one door for everything that WeCom says (``incoming``).

Each verb is one atomic block: lock the row, guard the state (``transitions``), guard the right (``permissions``),
change, timeline, outbound operations. No network in here. Admin, REST, cards and callbacks call these same functions.

Locks are taken in one order, approval before quote; ``submit`` locks the quote alone, because its approval is new.
A transition whose channel is ``wecom`` never queues an operation that would repeat it at WeCom.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from approvals import chain as chains
from approvals import permissions, quotes, rules, steps
from approvals.acceptance import resume_submission, submission_accepted, submission_failed
from approvals.actors import Actor
from approvals.chain import Asked
from approvals.deciding import approve, reject
from approvals.exceptions import InvalidInput, NotAllowed, WrongState
from approvals.incoming import apply_remote
from approvals.models import (
    ApprovalInstance,
    ApprovalStep,
    Flow,
    InstanceStatus,
    OperationKind,
    Outcome,
    Quote,
)
from approvals.models.instances import LIVE
from approvals.record import (
    announce,
    await_wecom,
    controlled,
    lock,
    lock_for,
    move,
    operation,
    queue,
    quote_follows,
    renew_cards,
    save,
    state_of,
    tell,
    write_entry,
)
from approvals.reminding import next_reminder, remind_locked
from approvals.settling import settled_status
from approvals.transitions import LOCAL, SUBMITTABLE
from config import statements
from wecom.directory import may_be_member, name_of

__all__ = [
    "apply_remote",
    "approve",
    "close_conflict",
    "delegate",
    "reject",
    "remind",
    "resume_submission",
    "state_of",
    "submission_accepted",
    "submission_failed",
    "submit",
    "withdraw",
]


def submit(
    *, quote: Quote, actor: Actor, flow: str | None = None, approvers: Asked | None = None, comment: str = ""
) -> ApprovalInstance:
    """Seal the quote and start an approval of it. Returns the new instance (``submitting``, or ``pending`` where the
    decision is taken here).

    ``flow``, ``approvers`` (WeCom userids, or steps of them): else those of the matching rule, else the template's own
    flow.
    Raises WrongState, NotAllowed, InvalidInput; nothing is written then.
    """
    if actor.user is None:
        raise NotAllowed
    with transaction.atomic():
        quote = Quote.objects.select_for_update().get(pk=quote.pk)
        permissions.require_own_quote(actor, quote, "approvals.submit_quote")
        if quote.approval_status not in SUBMITTABLE or quote.approvals.filter(status__in=LIVE).exists():
            raise WrongState(_("This quote is already in approval or approved."), current=quotes.state_of(quote))
        content = quotes.snapshot(quote)
        if not content["items"]:
            raise InvalidInput({"items": [_("A quote without items cannot be submitted.")]})
        plan = rules.plan(quote, flow=flow, approvers=approvers)
        instance = ApprovalInstance.objects.create(
            quote=quote,
            revision=quote.revision,
            third_no=_next_third_no(quote),
            flow=plan.flow,
            config=plan.config,
            corp_id=plan.config.corp_id if plan.config else "",
            template=plan.template,
            chain=chains.stored(plan.chain),
            rule=plan.rule,
            applicant=actor.user,
            applicant_userid=rules.applicant_userid(plan, actor),
            snapshot=content,
            seal=quotes.seal(content),
            status=InstanceStatus.PENDING if plan.flow == Flow.INTERNAL else InstanceStatus.SUBMITTING,
        )
        ApprovalStep.objects.bulk_create(steps.build(instance, plan.chain))
        from_status = quote.approval_status
        quote_follows(instance)
        entry = write_entry(
            instance, actor=actor, action="submit", outcome=Outcome.APPLIED, from_status=from_status, comment=comment
        )
        if instance.flow == Flow.WECOM_OA:
            queue(operation(instance, OperationKind.SUBMIT))
        elif instance.flow == Flow.WECOM_ENGINE:
            tell(instance, actor=actor, entry=entry, to=[instance.applicant_userid], verb="start")
        else:
            renew_cards(instance, entry)
        return instance


def _next_third_no(quote: Quote) -> str:
    """The quote number, with ``-2``, ``-3`` … on resubmission."""
    earlier = quote.approvals.count()
    return f"{quote.quote_number}-{earlier + 1}" if earlier else quote.quote_number


def withdraw(*, instance: ApprovalInstance, actor: Actor, comment: str = "") -> ApprovalInstance:
    """Take the submission back. Raises WrongState, NotAllowed."""
    with transaction.atomic():
        instance = lock_for(instance, "withdraw")
        permissions.require_applicant(actor, instance)
        before = controlled(instance)
        known = steps.of(instance)
        move(instance, LOCAL["withdraw"][InstanceStatus(instance.status)], channel=actor.channel)
        await_wecom(instance, known)
        save(instance, before=before)
        entry = write_entry(
            instance,
            actor=actor,
            action="withdraw",
            outcome=Outcome.APPLIED,
            from_status=before["status"],
            comment=comment,
        )
        told = [step.userid for step in steps.open_steps(known)] + [instance.applicant_userid]
        announce(instance, actor=actor, entry=entry, to=told, verb="withdraw")
        return instance


def delegate(*, instance: ApprovalInstance, actor: Actor, delegate_to: str, comment: str = "") -> ApprovalInstance:
    """Let ``delegate_to`` (a userid) decide in the actor's place. Raises InvalidInput, WrongState, NotAllowed."""
    chains.require_userids("delegate_to", [delegate_to])
    with transaction.atomic():
        instance = lock_for(instance, "delegate")
        known = steps.of(instance)
        mine = permissions.deciding_steps(actor, instance, known) or steps.open_steps(known)
        if not mine:
            raise WrongState(
                _("No step of this approval is known that could be delegated."), current=state_of(instance)
            )
        if not may_be_member(delegate_to, config_id=instance.config_id):
            raise InvalidInput({"delegate_to": [_("There is no such member.")]})
        if any(steps.belongs_to(step, delegate_to) for step in known):
            raise InvalidInput({"delegate_to": [_("This member is an approver already.")]})
        if delegate_to.casefold() == instance.applicant_userid.casefold():
            raise InvalidInput({"delegate_to": [_("Applicants cannot decide on their own quotes.")]})
        statements.update(mine, {"delegated_to": delegate_to})
        entry = write_entry(
            instance,
            actor=actor,
            action="delegate",
            outcome=Outcome.APPLIED,
            from_status=instance.status,
            comment=comment,
            details={
                "delegate_to": delegate_to,
                "delegate_name": name_of(delegate_to, config_id=instance.config_id),
            },
        )
        announce(instance, actor=actor, entry=entry, to=[delegate_to], verb="delegate")
        return instance


def remind(*, instance: ApprovalInstance, actor: Actor, comment: str = "") -> ApprovalInstance:
    """Remind those whose turn it is, at most every APPROVAL_REMIND_MINUTES. Raises WrongState, NotAllowed."""
    with transaction.atomic():
        instance = lock_for(instance, "remind")
        permissions.require_applicant(actor, instance)
        if next_reminder(instance) is not None:
            raise WrongState(
                _("The approvers were reminded a moment ago."), current=state_of(instance), code="reminded_recently"
            )
        remind_locked(instance, actor=actor, comment=comment)
        return instance


def close_conflict(*, instance: ApprovalInstance, actor: Actor, keep: str, reason: str) -> ApprovalInstance:
    """A person settles a conflict: ``keep`` is ``ours`` or ``wecom``. Raises InvalidInput, WrongState, NotAllowed."""
    if keep not in ("ours", "wecom"):
        raise InvalidInput({"keep": [_("Choose whose decision stands.")]})
    if not reason.strip():
        raise InvalidInput({"reason": [_("Closing a conflict needs a reason.")]})
    with transaction.atomic():
        instance = lock(instance)
        if not actor.may("approvals.close_conflict"):
            raise NotAllowed
        if not instance.conflict:
            raise WrongState(_("This approval is not in conflict."), current=state_of(instance))
        before = controlled(instance)
        instance.conflict = False
        move(instance, settled_status(instance, keep), channel=actor.channel)
        save(instance, before=before)
        write_entry(
            instance,
            actor=actor,
            action="close_conflict",
            outcome=Outcome.APPLIED,
            from_status=before["status"],
            comment=reason,
            details={"keep": keep},
        )
        return instance
