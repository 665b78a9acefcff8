"""What a visitor is offered at an approval: what the engine would let them do, and if nothing, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from approvals import permissions
from approvals.exceptions import NotAllowed
from approvals.mobile.visitors import Visitor
from approvals.models import ApprovalInstance, ApprovalStep, Flow, InstanceStatus
from approvals.steps import AGREED, belongs_to
from approvals.transitions import LOCAL


@dataclass(frozen=True, slots=True)
class Offer:
    """``node``: in which place of the chain the visitor decides; None for everybody's place (``for_all``), too."""

    may_decide: bool = False
    for_all: bool = False
    node: int | None = None
    may_delegate: bool = False
    may_start: bool = False
    why_not: str = ""
    """For a pending approval that the visitor, who has a place in it, cannot decide now."""


def offer_to(visitor: Visitor, instance: ApprovalInstance, steps: Sequence[ApprovalStep]) -> Offer:
    """Asked to draw buttons; the engine asks again, in the transaction, when one is pressed."""
    if instance.status not in LOCAL["approve"]:
        waits = instance.status == InstanceStatus.SUBMITTING
        return Offer(may_start=waits and has_engine_page(visitor, instance))
    try:
        mine = permissions.deciding_steps(visitor.actor(instance), instance, steps)
    except NotAllowed as refusal:
        return Offer(why_not=_why_not(visitor, steps, refusal))
    return Offer(may_decide=True, for_all=not mine, node=mine[0].node if mine else None, may_delegate=bool(steps))


def _why_not(visitor: Visitor, steps: Sequence[ApprovalStep], refusal: NotAllowed) -> str:
    """Nothing for whoever was never asked, and so expects no button."""
    mine = [step for step in steps if belongs_to(step, visitor.userid)]
    if mine and all(step.status in AGREED for step in mine):
        return _("You agreed. Others still have to decide.")
    return str(refusal) if mine else ""


def has_engine_page(visitor: Visitor, instance: ApprovalInstance) -> bool:
    """Whether the visitor may start the approval in WeCom's engine, and look at it there once it runs: the applicant in
    person, until it is withdrawn."""
    is_applicant = visitor.userid.casefold() == instance.applicant_userid.casefold() != ""
    in_engine = instance.flow == Flow.WECOM_ENGINE and instance.config is not None
    return in_engine and is_applicant and instance.status != InstanceStatus.CANCELLED
