"""A conflict as a person has to settle it: what was decided here, what WeCom says, what each choice leads to.

Reads only; ``engine.close_conflict`` settles.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from approvals.exceptions import WrongState
from approvals.models import (
    ApprovalInstance,
    ApprovalStep,
    ApprovalTimeline,
    Channel,
    InstanceStatus,
    Outcome,
    QuoteStatus,
    StepStatus,
)
from approvals.models.instances import LIVE
from approvals.reasons import DECISIONS, remote_label
from approvals.settling import our_decision, settled_status
from approvals.transitions import FROM_REMOTE, QUOTE_STATUS


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose decision stands. ``keep``: ``ours`` or ``wecom``, as the engine takes it."""

    keep: str
    state: str
    """What this side says, as a state of ours."""
    label: str
    """The same in words, as this side calls it."""
    effects: tuple[str, ...]
    """Sentences: what will happen."""
    barred: str = ""
    """Why it cannot be chosen; empty if it can."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one person decided in WeCom."""

    who: str
    what: str
    at: datetime | None
    comment: str


@dataclass(frozen=True, slots=True)
class Dispute:
    here: tuple[ApprovalTimeline, ...]
    """The decisions taken here, oldest first."""
    there: tuple[Word, ...]
    """What the approvers did in WeCom, by their places."""
    told: tuple[ApprovalTimeline, ...]
    """How WeCom's state was learned, oldest first."""
    ours: Choice
    wecom: Choice


def dispute_of(instance: ApprovalInstance) -> Dispute:
    """The two sides of ``instance``, which is in conflict."""
    decided_here = Q(action__in=DECISIONS) | Q(outcome=Outcome.FAILED)
    timeline = ApprovalTimeline.objects.filter(instance=instance).order_by("pk")
    return Dispute(
        here=tuple(timeline.filter(decided_here).exclude(channel=Channel.WECOM)),
        there=tuple(_word(step) for step in instance.steps.order_by("node", "position") if _acted_there(step)),
        told=tuple(timeline.filter(channel=Channel.WECOM, outcome__in=(Outcome.APPLIED, Outcome.CONFLICT))),
        ours=_ours(instance),
        wecom=_wecoms(instance),
    )


def _acted_there(step: ApprovalStep) -> bool:
    return step.kind != "cc" and step.status != StepStatus.PENDING and not step.decided_here


def _word(step: ApprovalStep) -> Word:
    return Word(step.name or step.userid, str(step.get_status_display()), step.time, step.comment)


def _ours(instance: ApprovalInstance) -> Choice:
    status = our_decision(instance)
    after = _("In WeCom the form stays as it is: no program can change it there.")
    return Choice("ours", status.value, str(status.label), (*_moves(instance, status), after))


def _wecoms(instance: ApprovalInstance) -> Choice:
    state, label = FROM_REMOTE[instance.remote_status].value, remote_label(instance)
    try:
        status = settled_status(instance, "wecom")
    except WrongState as refusal:
        return Choice("wecom", state, label, (), barred=str(refusal.detail))
    after = (
        _("It is then decided again, there or here.")
        if status in LIVE
        else _("Both sides say the same then, and what WeCom reports later is followed.")
    )
    return Choice("wecom", state, label, (*_moves(instance, status), after))


def _moves(instance: ApprovalInstance, status: InstanceStatus) -> tuple[str, str]:
    stays = (
        _("The approval stays: %(status)s.") if status == instance.status else _("The approval becomes: %(status)s.")
    )
    return stays % {"status": status.label}, _quote_moves(instance, status)


def _quote_moves(instance: ApprovalInstance, status: InstanceStatus) -> str:
    """As ``record.quote_follows`` does it."""
    quote = instance.quote
    newer = ApprovalInstance.objects.filter(quote=quote, pk__gt=instance.pk).exists()
    if newer or quote.revision != instance.revision:
        return _("The quote is left alone: it has been revised or submitted anew.")
    follows = QUOTE_STATUS[status]
    stays = _("The quote stays: %(status)s.") if follows == quote.status else _("The quote becomes: %(status)s.")
    return stays % {"status": QuoteStatus(follows).label}
