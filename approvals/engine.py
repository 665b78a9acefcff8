"""The approval engine: one function per verb, and one door for everything that WeCom says.

Each verb is one atomic block: lock the row, guard the state (``transitions``), guard the right (``permissions``),
change, timeline, outbound operations. No network in here. Admin, REST, cards and callbacks call these same functions.

Locks are taken in one order, approval before quote; ``submit`` locks the quote alone, because its approval is new.
A transition whose channel is ``wecom`` never queues an operation that would repeat it at WeCom.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals import permissions, quotes, rules, steps
from approvals.actors import SYSTEM, Actor
from approvals.exceptions import InvalidInput, NoInstance, NotAllowed, WrongState
from approvals.judge import Verdict, judge
from approvals.models import (
    ApprovalInstance,
    ApprovalStep,
    Channel,
    Flow,
    InstanceStatus,
    OperationKind,
    Outcome,
    Quote,
    StepStatus,
)
from approvals.models.instances import LIVE
from approvals.record import controlled, move, queue_operation, quote_follows, save, tell, write_entry
from approvals.remote import action_of, actor_of, at_of, find, is_older, note_unknown, poll_id
from approvals.transitions import FROM_REMOTE, LOCAL, SUBMITTABLE
from wecom.inbox import release_parked
from wecom.snapshots import RemoteApproval

REMIND_EVERY = timedelta(minutes=10)
NEWS = ("status", "remote_status", "remote_pending", "conflict", "paid_at")
"""Columns whose change is worth an entry in the timeline, whoever noticed it."""


def submit(
    *, quote: Quote, actor: Actor, flow: str | None = None, approvers: Sequence[str] | None = None, comment: str = ""
) -> ApprovalInstance:
    """Seal the quote and start an approval of it. Returns the new instance (``submitting``, or ``pending`` where the
    decision is taken here).

    ``flow``, ``approvers`` (WeCom userids): else those of the matching rule, else the template's own flow.
    Raises WrongState, NotAllowed, InvalidInput; nothing is written then.
    """
    if actor.user is None:
        raise NotAllowed
    with transaction.atomic():
        quote = Quote.objects.select_for_update().get(pk=quote.pk)
        permissions.require_own_quote(actor, quote, "approvals.submit_quote")
        if quote.approval_status not in SUBMITTABLE:
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
            template=plan.template,
            approvers=plan.approvers,
            relation=plan.relation,
            applicant=actor.user,
            applicant_userid=rules.applicant_userid(plan, actor),
            snapshot=content,
            seal=quotes.seal(content),
            status=InstanceStatus.PENDING if plan.flow == Flow.INTERNAL else InstanceStatus.SUBMITTING,
        )
        ApprovalStep.objects.bulk_create(steps.build(instance, plan.approvers, plan.relation))
        from_status = quote.approval_status
        quote_follows(instance)
        entry = write_entry(
            instance, actor=actor, action="submit", outcome=Outcome.APPLIED, from_status=from_status, comment=comment
        )
        if instance.flow == Flow.WECOM_OA:
            queue_operation(instance, OperationKind.SUBMIT)
        elif instance.flow == Flow.INTERNAL:
            tell(instance, actor=actor, entry=entry, to=plan.approvers, verb="submit")
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
        _await_wecom(instance, known)
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
        _await_wecom(instance, known)
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
    rules.require_userids("delegate_to", [delegate_to])
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
            details={"delegate_to": delegate_to},
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


def submission_accepted(*, instance: ApprovalInstance, sp_no: str) -> ApprovalInstance:
    """WeCom took the submission (or it was found there after a lost answer). Repeating it changes nothing."""
    with transaction.atomic():
        instance = _lock(instance)
        if instance.sp_no:
            return instance
        before = controlled(instance)
        instance.sp_no = sp_no
        instance.remote_status = instance.remote_status or "pending"
        instance.last_synced_at = timezone.now()
        if instance.status == InstanceStatus.SUBMITTING:
            move(instance, InstanceStatus.PENDING, channel=Channel.SYSTEM)
        _await_wecom(instance, list(instance.steps.all()))
        save(instance, before=before)
        entry = write_entry(
            instance,
            actor=SYSTEM,
            action="submit",
            outcome=Outcome.APPLIED,
            from_status=before["status"],
            details={"sp_no": sp_no},
        )
        if instance.status == InstanceStatus.CANCELLED:  # withdrawn here while the submission was on its way
            tell(instance, actor=SYSTEM, entry=entry, to=[instance.applicant_userid], verb="withdraw")
        release_parked([sp_no, instance.third_no])
        return instance


def submission_failed(*, instance: ApprovalInstance, code: str, message: str) -> ApprovalInstance:
    """WeCom refused the submission for good. ``code``: its errcode, or a word of ours. It may be submitted again."""
    with transaction.atomic():
        instance = _lock(instance)
        if instance.status != InstanceStatus.SUBMITTING:
            return instance
        before = controlled(instance)
        instance.error_code, instance.error_message = code, message
        instance.status = InstanceStatus.FAILED
        save(instance, before=before)
        write_entry(
            instance,
            actor=SYSTEM,
            action="submit",
            outcome=Outcome.FAILED,
            from_status=before["status"],
            comment=message,
            details={"errcode": code},
        )
        return instance


def resume_submission(*, instance: ApprovalInstance) -> ApprovalInstance:
    """Somebody removed the cause of a refusal and pressed *retry*: the submission is under way again.

    Nothing happens when the quote was revised or submitted anew meanwhile.
    """
    with transaction.atomic():
        instance = _lock(instance)
        quote = Quote.objects.select_for_update().get(pk=instance.quote_id)
        newer = quote.approvals.filter(pk__gt=instance.pk).exists()
        if instance.status != InstanceStatus.FAILED or quote.revision != instance.revision or newer:
            return instance
        before = controlled(instance)
        instance.status = InstanceStatus.SUBMITTING
        instance.error_code = instance.error_message = ""
        save(instance, before=before)
        write_entry(instance, actor=SYSTEM, action="submit", outcome=Outcome.APPLIED, from_status=before["status"])
        return instance


def apply_remote(snapshot: RemoteApproval, *, source: str, event_id: str = "") -> Outcome:
    """Take in what WeCom says about one approval, from a callback or from a poll.

    ``source``: ``callback``, ``reconcile`` or ``manual``. ``event_id``: unique per callback; a poll that brings
    nothing new leaves no entry. Raises NoInstance when nobody here knows the approval.
    """
    # No savepoint of its own inside the worker's transaction: nothing is undone here that is not undone there.
    with transaction.atomic(savepoint=False):
        instance = find(snapshot)
        if instance is not None:
            return _apply_locked(instance, snapshot, source, event_id or poll_id(instance, snapshot))
    raise NoInstance(snapshot.third_no or snapshot.sp_no)


def _apply_locked(instance: ApprovalInstance, snapshot: RemoteApproval, source: str, event_id: str) -> Outcome:
    if instance.timeline.filter(event_id=event_id).exists():
        _proved(instance, source)
        return Outcome.UNCHANGED
    before = controlled(instance)
    known = list(instance.steps.order_by("node", "position"))  # the default order would join the approval again
    verdict = _weigh(instance, snapshot, known, source)
    if verdict.outcome in (Outcome.STALE, Outcome.UNKNOWN):
        fresh = known
    else:
        fresh = _take_over(instance, snapshot, verdict, known, at_of(snapshot, source))
    after = controlled(instance)
    news = any(after[name] != before[name] for name in NEWS) or _steps_moved(fresh, known)
    outcome = Outcome.APPLIED if verdict.outcome == Outcome.UNCHANGED and news else verdict.outcome
    instance.last_synced_at = timezone.now()
    save(instance, before=before)
    if news or source == "callback" or outcome != Outcome.UNCHANGED:
        write_entry(
            instance,
            actor=actor_of(snapshot, known, fresh),
            action=action_of(snapshot, before["remote_status"]),
            outcome=outcome,
            from_status=before["status"],
            event_id=event_id,
            at=at_of(snapshot, source),
            comment=snapshot.comments[-1].text if snapshot.change_code == 10 and snapshot.comments else "",
            details={"source": source, "status_code": snapshot.status_code, "change_code": snapshot.change_code},
        )
    return outcome


def _weigh(instance: ApprovalInstance, snapshot: RemoteApproval, known: Sequence[ApprovalStep], source: str) -> Verdict:
    status = InstanceStatus(instance.status)
    if snapshot.status is None:
        note_unknown(instance, snapshot)
        return Verdict(Outcome.UNKNOWN, status, instance.remote_status)
    decided_here = instance.decided_channel not in ("", Channel.WECOM)
    verdict = judge(
        status=status,
        decided_here=decided_here,
        remote=instance.remote_status,
        incoming=snapshot.status,
        policy=settings.APPROVAL_CONFLICT_POLICY,
    )
    if verdict.outcome == Outcome.UNCHANGED and is_older(instance, snapshot, known, source):
        return Verdict(Outcome.STALE, status, instance.remote_status)
    if verdict.status in LIVE and status not in LIVE and _another_is_live(instance):
        # a refused submission turned out to have arrived after all, and a second one is already under way
        return Verdict(Outcome.CONFLICT, status, verdict.remote, conflict=True)
    return verdict


def _another_is_live(instance: ApprovalInstance) -> bool:
    return ApprovalInstance.objects.filter(quote=instance.quote_id, status__in=LIVE).exclude(pk=instance.pk).exists()


def _take_over(
    instance: ApprovalInstance, snapshot: RemoteApproval, verdict: Verdict, known: list[ApprovalStep], at: datetime
) -> list[ApprovalStep]:
    instance.sp_no = instance.sp_no or snapshot.sp_no
    instance.remote_status, instance.remote_status_code = verdict.remote, snapshot.status_code
    instance.remote_changed_at = max(filter(None, (instance.remote_changed_at, snapshot.changed_at)), default=None)
    instance.conflict = instance.conflict or verdict.conflict
    if verdict.remote == "paid":
        instance.paid_at = instance.paid_at or at
    if verdict.status != instance.status:
        move(instance, verdict.status, channel=Channel.WECOM, at=at)
        instance.error_code = instance.error_message = ""
    fresh = steps.mirror(instance, snapshot.steps, known)
    _await_wecom(instance, fresh)
    return fresh


def _steps_moved(fresh: Sequence[ApprovalStep], known: Sequence[ApprovalStep]) -> bool:
    return [(s.userid, s.status, s.comment) for s in fresh] != [(s.userid, s.status, s.comment) for s in known]


def _proved(instance: ApprovalInstance, source: str) -> None:
    if source != "callback":  # replaying a stored event proves nothing about WeCom now
        before = controlled(instance)
        instance.last_synced_at = timezone.now()
        save(instance, before=before)


def _await_wecom(instance: ApprovalInstance, known: Sequence[ApprovalStep]) -> None:
    """``remote_pending``: something was decided here that WeCom's own, still open flow does not show."""
    if instance.flow == Flow.INTERNAL:
        return
    open_there = bool(instance.sp_no) if instance.remote_status == "" else instance.remote_status == "pending"
    decided = instance.status not in (*LIVE, InstanceStatus.FAILED)
    steps_decided = any(step.decided_here for step in known)
    instance.remote_pending = open_there and (decided or steps_decided)


def close_conflict(*, instance: ApprovalInstance, actor: Actor, keep: str, reason: str) -> ApprovalInstance:
    """A person settles a conflict: ``keep`` is ``ours`` or ``wecom``. Raises InvalidInput, WrongState, NotAllowed."""
    if keep not in ("ours", "wecom"):
        raise InvalidInput({"keep": [_("Choose whose decision stands.")]})
    if not reason.strip():
        raise InvalidInput({"reason": [_("Closing a conflict needs a reason.")]})
    with transaction.atomic():
        instance = _lock(instance)
        if not actor.may("approvals.close_conflict"):
            raise NotAllowed
        if not instance.conflict:
            raise WrongState(_("This approval is not in conflict."), current=state_of(instance))
        before = controlled(instance)
        instance.conflict = False
        if keep == "wecom":
            move(instance, FROM_REMOTE[instance.remote_status], channel=actor.channel)
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


def state_of(instance: ApprovalInstance) -> dict[str, object]:
    """The state that a refused request is told."""
    return {"id": instance.pk, "status": instance.status, "remote_status": instance.remote_status}


def _lock(instance: ApprovalInstance) -> ApprovalInstance:
    related = ApprovalInstance.objects.select_related("quote__owner", "applicant", "config")
    return related.select_for_update(of=("self",)).get(pk=instance.pk)


def _locked(instance: ApprovalInstance, verb: str) -> ApprovalInstance:
    """The row, locked, in a state that allows ``verb``."""
    instance = _lock(instance)
    if instance.status not in LOCAL[verb]:
        raise WrongState(_("The approval is no longer in a state that allows this."), current=state_of(instance))
    return instance
