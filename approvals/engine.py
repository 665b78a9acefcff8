"""The approval engine: one function per verb, and one door for everything that WeCom says (``incoming``).

Each verb is one atomic block: lock the row, guard the state (``transitions``), guard the right (``permissions``),
change, timeline, outbound operations. No network in here. Admin, REST, cards and callbacks call these same functions.

Locks are taken in one order, approval before quote; ``submit`` locks the quote alone, because its approval is new.
A transition whose channel is ``wecom`` never queues an operation that would repeat it at WeCom.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals import chain as chains
from approvals import permissions, quotes, rules, steps
from approvals.acceptance import resume_submission, submission_accepted, submission_failed
from approvals.actors import Actor
from approvals.chain import Asked
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
    StepStatus,
)
from approvals.models.instances import LIVE
from approvals.record import (
    another_is_live,
    await_wecom,
    controlled,
    lock,
    move,
    queue_operation,
    quote_follows,
    save,
    state_of,
    tell,
    write_entry,
)
from approvals.transitions import FROM_REMOTE, LOCAL, SUBMITTABLE
from wecom.directory import name_of

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

REMIND_EVERY = timedelta(minutes=10)


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
            queue_operation(instance, OperationKind.SUBMIT)
        elif instance.flow == Flow.INTERNAL:
            tell(instance, actor=actor, entry=entry, to=chains.everybody(plan.chain), verb="submit")
        return instance


def _next_third_no(quote: Quote) -> str:
    """The quote number, with ``-2``, ``-3`` … on resubmission."""
    earlier = quote.approvals.count()
    return f"{quote.quote_number}-{earlier + 1}" if earlier else quote.quote_number


def approve(*, instance: ApprovalInstance, actor: Actor, comment: str = "") -> ApprovalInstance:
    """Agree in the actor's place; the approval is approved once every step agrees.

    Raises WrongState, NotAllowed.
    """
    return _decide(instance, actor, "approve", StepStatus.APPROVED, comment)


def reject(*, instance: ApprovalInstance, actor: Actor, reason: str) -> ApprovalInstance:
    """Reject the whole approval. Raises InvalidInput without a reason, WrongState, NotAllowed."""
    if not reason.strip():
        raise InvalidInput({"reason": [_("A rejection needs a reason.")]})
    return _decide(instance, actor, "reject", StepStatus.REJECTED, reason)


def _decide(
    instance: ApprovalInstance, actor: Actor, verb: str, step_status: StepStatus, comment: str
) -> ApprovalInstance:
    with transaction.atomic():
        instance = _locked(instance, verb)
        known = list(instance.steps.all())
        mine = permissions.deciding_steps(actor, instance, known)
        before = controlled(instance)
        told = [step.userid for step in steps.open_steps(known)] + [instance.applicant_userid]
        now = timezone.now()
        for step in mine:
            step.status, step.comment, step.time = step_status, comment, now
            step.decided_here = instance.flow != Flow.INTERNAL
        ApprovalStep.objects.bulk_update(mine, ["status", "comment", "time", "decided_here"])
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
            comment=comment,
        )
        tell(instance, actor=actor, entry=entry, to=told, verb=verb)
        return instance


def withdraw(*, instance: ApprovalInstance, actor: Actor, comment: str = "") -> ApprovalInstance:
    """Take the submission back. Raises WrongState, NotAllowed."""
    with transaction.atomic():
        instance = _locked(instance, "withdraw")
        permissions.require_applicant(actor, instance)
        before = controlled(instance)
        known = list(instance.steps.all())
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
        tell(instance, actor=actor, entry=entry, to=told, verb="withdraw")
        return instance


def delegate(*, instance: ApprovalInstance, actor: Actor, delegate_to: str, comment: str = "") -> ApprovalInstance:
    """Let ``delegate_to`` (a userid) decide in the actor's place. Raises InvalidInput, WrongState, NotAllowed."""
    chains.require_userids("delegate_to", [delegate_to])
    with transaction.atomic():
        instance = _locked(instance, "delegate")
        known = list(instance.steps.all())
        mine = permissions.deciding_steps(actor, instance, known) or steps.open_steps(known)
        if not mine:
            raise WrongState(
                _("No step of this approval is known that could be delegated."), current=state_of(instance)
            )
        if any(steps.belongs_to(step, delegate_to) for step in known):
            raise InvalidInput({"delegate_to": [_("This member is an approver already.")]})
        if delegate_to.casefold() == instance.applicant_userid.casefold():
            raise InvalidInput({"delegate_to": [_("Applicants cannot decide on their own quotes.")]})
        for step in mine:
            step.delegated_to = delegate_to
        ApprovalStep.objects.bulk_update(mine, ["delegated_to"])
        entry = write_entry(
            instance,
            actor=actor,
            action="delegate",
            outcome=Outcome.APPLIED,
            from_status=instance.status,
            comment=comment,
            details={"delegate_to": delegate_to, "delegate_name": name_of(delegate_to)},
        )
        tell(instance, actor=actor, entry=entry, to=[delegate_to], verb="delegate")
        return instance


def remind(*, instance: ApprovalInstance, actor: Actor, comment: str = "") -> ApprovalInstance:
    """Remind those whose turn it is, at most every REMIND_EVERY. Raises WrongState, NotAllowed."""
    with transaction.atomic():
        instance = _locked(instance, "remind")
        permissions.require_applicant(actor, instance)
        now = timezone.now()
        if instance.last_reminded_at and now < instance.last_reminded_at + REMIND_EVERY:
            raise WrongState(
                _("The approvers were reminded a moment ago."), current=state_of(instance), code="reminded_recently"
            )
        before = controlled(instance)
        instance.last_reminded_at = now
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
        tell(instance, actor=actor, entry=entry, to=told, verb="remind")
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
        move(instance, _settled(instance, keep), channel=actor.channel)
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


def _settled(instance: ApprovalInstance, keep: str) -> InstanceStatus:
    """The state that stands when a conflict is closed. Ours is the one the conflict was written over, if it was."""
    if keep == "ours":
        conflicts = instance.timeline.filter(outcome=Outcome.CONFLICT).order_by("-id")
        return InstanceStatus(conflicts.values_list("from_status", flat=True).first() or instance.status)
    theirs = FROM_REMOTE[instance.remote_status]
    if theirs in LIVE and another_is_live(instance):
        raise WrongState(_("Another submission of this quote is under way."), current=state_of(instance))
    return theirs


def _locked(instance: ApprovalInstance, verb: str) -> ApprovalInstance:
    """The row, locked, in a state that allows ``verb``."""
    instance = lock(instance)
    if instance.status not in LOCAL[verb]:
        raise WrongState(_("The approval is no longer in a state that allows this."), current=state_of(instance))
    return instance
