"""What a visitor is offered at an approval: what the engine would let them do, and if nothing, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from approvals import permissions
from approvals.exceptions import NotAllowed
from approvals.mobile.visitors import Visitor
from approvals.models import ApprovalInstance, ApprovalStep, Flow, InstanceStatus
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
    """The engine's sentence, for a pending approval that the visitor cannot decide."""


def offer_to(visitor: Visitor, instance: ApprovalInstance, steps: Sequence[ApprovalStep]) -> Offer:
    """Asked to draw buttons; the engine asks again, in the transaction, when one is pressed."""
    if instance.status not in LOCAL["approve"]:
        return Offer(may_start=_may_start(visitor, instance))
    try:
        mine = permissions.deciding_steps(visitor.actor(instance), instance, steps)
    except NotAllowed as refusal:
        return Offer(why_not=str(refusal))
    return Offer(may_decide=True, for_all=not mine, node=mine[0].node if mine else None, may_delegate=bool(steps))


def _may_start(visitor: Visitor, instance: ApprovalInstance) -> bool:
    """WeCom's engine wants the applicant in person, on a phone."""
    if instance.flow != Flow.WECOM_ENGINE or instance.status != InstanceStatus.SUBMITTING:
        return False
    return bool(visitor.userid) and visitor.userid.casefold() == instance.applicant_userid.casefold()
