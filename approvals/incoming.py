"""What WeCom says about an approval, from a callback or a poll: one door, idempotent, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from approvals import steps
from approvals.actors import SYSTEM
from approvals.exceptions import NoInstance
from approvals.judge import Verdict, agreed_after_all, judge
from approvals.models import ApprovalInstance, ApprovalStep, Channel, InstanceStatus, Outcome
from approvals.models.instances import LIVE
from approvals.record import another_is_live, await_wecom, controlled, move, save, write_entry
from approvals.remote import action_of, actor_of, at_of, find, is_older, note_unknown, poll_id, words_of
from approvals.settling import our_decision
from approvals.transitions import FROM_REMOTE
from wecom.snapshots import RemoteApproval

READ_ANEW = "read:"
"""Prefix of the event ID of an entry that was once written for an unknown status, and is understood by now."""
NEWS = ("status", "remote_status", "remote_pending", "conflict", "paid_at")
"""Columns whose change is worth an entry in the timeline, whoever noticed it."""


def apply_remote(snapshot: RemoteApproval, *, source: str, event_id: str = "", config_id: int | None = None) -> Outcome:
    """Take in what WeCom says about one approval, from a callback or from a poll.

    ``source``: ``callback``, ``reconcile`` or ``manual``. ``event_id``: unique per callback; a poll that brings
    nothing new leaves no entry. ``config_id``: the WeCom app that was told; the numbers of its company mean nothing to
    another company's approvals (None: known to be the right one). Raises NoInstance when nobody here knows the
    approval.
    """
    # No savepoint of its own inside the worker's transaction: nothing is undone here that is not undone there.
    with transaction.atomic(savepoint=False):
        instance = find(snapshot, config_id)
        if instance is not None:
            return _apply_locked(instance, snapshot, source, event_id or poll_id(instance, snapshot))
    raise NoInstance(snapshot.third_no or snapshot.sp_no)


def _apply_locked(instance: ApprovalInstance, snapshot: RemoteApproval, source: str, event_id: str) -> Outcome:
    same = instance.timeline.filter(event_id__in=(event_id, READ_ANEW + event_id))
    known_as = dict(same.order_by().values_list("event_id", "outcome"))
    if known_as.get(event_id) == Outcome.UNKNOWN and snapshot.status is not None:
        event_id = READ_ANEW + event_id
    if event_id in known_as:
        _proved(instance, source)
        return Outcome.UNCHANGED
    before = controlled(instance)
    known = steps.of(instance)
    _complete(instance, snapshot, known, source)
    from_status = instance.status
    verdict = _weigh(instance, snapshot, known, source)
    if verdict.outcome == Outcome.STALE and _was_no_conflict(instance, snapshot):
        verdict, fresh = replace(verdict, outcome=Outcome.APPLIED), known
        instance.conflict = False
        move(instance, FROM_REMOTE[instance.remote_status], channel=Channel.WECOM, at=at_of(snapshot, source))
    elif verdict.outcome in (Outcome.STALE, Outcome.UNKNOWN):
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
            actor=actor_of(instance, snapshot, known, fresh),
            action=action_of(snapshot, before["remote_status"]),
            outcome=outcome,
            from_status=from_status,
            event_id=event_id,
            at=at_of(snapshot, source),
            comment=words_of(snapshot, known, fresh),
            details={"source": source, "status_code": snapshot.status_code, "change_code": snapshot.change_code},
        )
    return outcome


def _complete(instance: ApprovalInstance, snapshot: RemoteApproval, known: Sequence[ApprovalStep], source: str) -> None:
    """Some agreed here, and ``snapshot`` shows that the others did in WeCom: all have, whichever came last. Told apart
    from what the snapshot says besides, which may be that somebody changed their mind there."""
    if instance.status != InstanceStatus.PENDING or not steps.agreed_in_both_places(known, snapshot.steps):
        return
    at = at_of(snapshot, source)
    move(instance, InstanceStatus.APPROVED, channel=Channel.SYSTEM, at=at)
    write_entry(
        instance,
        actor=SYSTEM,
        action="approve",
        outcome=Outcome.APPLIED,
        from_status=InstanceStatus.PENDING,
        at=at,
    )


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
    if verdict.status in LIVE and status not in LIVE and another_is_live(instance):
        # a refused submission turned out to have arrived after all, and a second one is already under way
        return Verdict(Outcome.CONFLICT, status, verdict.remote, conflict=True)
    return verdict


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
    await_wecom(instance, fresh)
    return fresh


def _was_no_conflict(instance: ApprovalInstance, snapshot: RemoteApproval) -> bool:
    return (
        instance.conflict
        and snapshot.status is not None
        and agreed_after_all(ours=our_decision(instance), remote=instance.remote_status, late=snapshot.status)
    )


def _steps_moved(fresh: Sequence[ApprovalStep], known: Sequence[ApprovalStep]) -> bool:
    return [(s.userid, s.status, s.comment) for s in fresh] != [(s.userid, s.status, s.comment) for s in known]


def _proved(instance: ApprovalInstance, source: str) -> None:
    if source != "callback":  # replaying a stored event proves nothing about WeCom now
        before = controlled(instance)
        instance.last_synced_at = timezone.now()
        save(instance, before=before)
