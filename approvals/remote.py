"""Reading a snapshot: whose approval it is, who did what, and whether it is older than what we know."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db.models import Subquery
from django.utils import timezone
from django.utils.translation import gettext_noop

from approvals.actors import Actor
from approvals.models import ApprovalInstance, ApprovalStep, Channel, StepStatus
from notifications.incidents import raise_incident
from notifications.phrases import Phrase
from wecom.directory import names_of
from wecom.models import WeComConfig
from wecom.snapshots import RemoteApproval

ACTIONS = {
    # StatuChangeEvent (doc 91815, fact sheet 4.7 third column) → the word of our timeline
    1: "submit",
    2: "approve",
    3: "reject",
    4: "transfer",
    5: "remind",
    6: "withdraw",
    8: "revoke",
    10: "comment",
    11: "return",
    12: "add_approver",
    13: "add_approver",
    14: "handle",
    15: "hand_over",
}
ACTIONS_BY_STATUS = {
    # what a poll or an engine event shows without saying how it came about
    "pending": "update",
    "approved": "approve",
    "rejected": "reject",
    "cancelled": "withdraw",
    "revoked": "revoke",
    "deleted": "delete",
    "paid": "pay",
}
BY_APPLICANT = frozenset({1, 6, 8})
"""StatuChangeEvent of submitting, withdrawing and revoking."""
COMMENTED = 10
UNDATED = frozenset({"cancelled", "revoked", "deleted", "paid"})
NEVER = datetime.min.replace(tzinfo=UTC)


def find(snapshot: RemoteApproval, config_id: int | None) -> ApprovalInstance | None:
    """The approval that ``snapshot`` is about, locked: by our number first, then by WeCom's.

    ``config_id``: only among the approvals of this app's company; two companies may use the same numbers.
    """
    rows = ApprovalInstance.objects.select_for_update()
    if config_id is not None:
        rows = rows.filter(corp_id=Subquery(WeComConfig.objects.filter(pk=config_id).values("corp_id")))
    found = None
    if snapshot.third_no:
        found = rows.filter(third_no=snapshot.third_no).first()
    if found is None and snapshot.sp_no:
        found = rows.filter(sp_no=snapshot.sp_no).first()
    return found


def is_older(instance: ApprovalInstance, snapshot: RemoteApproval, known: Sequence[ApprovalStep], source: str) -> bool:
    """Whether more is known already than ``snapshot`` says. Only asked for a state that did not change; between
    different states the transition table decides.

    Events are dated, but in whole seconds: within one second the snapshot with more decided steps is the later one. A
    poll is dated by the last step it shows, so an earlier date alone says nothing about it.
    """
    if instance.remote_changed_at is None or snapshot.changed_at is None:
        return False
    if source == "callback" and snapshot.changed_at < instance.remote_changed_at:
        return True
    shown = sum(step.status not in (StepStatus.PENDING, "") for step in snapshot.steps)
    ours = sum(step.status not in (StepStatus.PENDING, "") and not step.decided_here for step in known)
    return snapshot.changed_at <= instance.remote_changed_at and shown < ours


def at_of(snapshot: RemoteApproval, source: str) -> datetime:
    """When it happened, as far as WeCom says. A polled form dates its steps, but not its withdrawal, revocation,
    deletion or payment: those count from when they were seen."""
    if source != "callback" and snapshot.status in UNDATED:
        return timezone.now()
    return snapshot.changed_at or timezone.now()


def action_of(snapshot: RemoteApproval, remote_before: str) -> str:
    """The timeline's word for what happened."""
    if snapshot.change_code is not None:
        return ACTIONS.get(snapshot.change_code, f"event_{snapshot.change_code}")
    if snapshot.status is None:
        return f"status_{snapshot.status_code}"
    return ACTIONS_BY_STATUS[snapshot.status] if snapshot.status != remote_before else "update"


def actor_of(
    instance: ApprovalInstance, snapshot: RemoteApproval, known: Sequence[ApprovalStep], fresh: Sequence[ApprovalStep]
) -> Actor:
    """Who acted in WeCom. The event does not say (doc 91815): the step that moved last does, else the applicant."""
    userid = _mover(snapshot, known, fresh)
    on_steps = (step.name for step in fresh if step.name and step.userid.casefold() == userid.casefold())
    name = next(on_steps, "") or names_of([userid] if userid else [], config_id=instance.config_id).get(
        userid.casefold(), ""
    )
    return Actor(channel=Channel.WECOM, userid=userid, name=name)


def words_of(snapshot: RemoteApproval, known: Sequence[ApprovalStep], fresh: Sequence[ApprovalStep]) -> str:
    """What whoever acted in WeCom wrote there: a comment, or the words of a decision; empty if they wrote nothing."""
    if snapshot.change_code == COMMENTED and snapshot.comments:
        return snapshot.comments[-1].text
    moved = [] if snapshot.change_code in BY_APPLICANT else _moved(known, fresh)
    return _latest(moved).comment if moved else ""


def _mover(snapshot: RemoteApproval, known: Sequence[ApprovalStep], fresh: Sequence[ApprovalStep]) -> str:
    if snapshot.change_code in BY_APPLICANT:
        return snapshot.applicant
    if snapshot.change_code == COMMENTED and snapshot.comments:
        return snapshot.comments[-1].userid
    acted = [step for step in fresh if step.time is not None and step.status != StepStatus.PENDING]
    moved = _moved(known, fresh) or acted
    return _latest(moved).userid if moved else ""


def _moved(known: Sequence[ApprovalStep], fresh: Sequence[ApprovalStep]) -> list[ApprovalStep]:
    """The places of which WeCom says something new, be it what was decided here before."""
    before = {(step.node, step.userid.casefold()): (step.status, step.decided_here) for step in known}
    return [
        step
        for step in fresh
        if step.status != StepStatus.PENDING
        and before.get((step.node, step.userid.casefold())) != (step.status, step.decided_here)
    ]


def _latest(moved: Sequence[ApprovalStep]) -> ApprovalStep:
    return max(moved, key=lambda step: step.time or NEVER)


def poll_id(instance: ApprovalInstance, snapshot: RemoteApproval) -> str:
    """An event ID for a polled state: the same state polled twice is one entry."""
    state = repr(
        (snapshot.status_code, [(s.node, s.userid, s.code, s.at) for s in snapshot.steps], len(snapshot.comments))
    )
    return f"poll:{instance.pk}:{hashlib.sha256(state.encode()).hexdigest()}"


def note_unknown(instance: ApprovalInstance, snapshot: RemoteApproval) -> None:
    """An unknown number is kept raw, never guessed, and a person is told."""
    instance.remote_status_code = snapshot.status_code
    raise_incident(
        f"unknown-status:{snapshot.status_code}",
        title=Phrase(
            gettext_noop("WeCom reports an approval status that is not known here: %(code)s"), code=snapshot.status_code
        ),
        detail=Phrase(gettext_noop("Approval %(number)s. Its state here was left as it is."), number=instance.third_no),
        remedy=Phrase(gettext_noop("Look the approval up in WeCom. If the status is new, the program must learn it.")),
    )
