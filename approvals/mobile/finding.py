"""Which approvals a visitor gets to see, which they are to start or to decide, and which were decided lately."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from approvals import turns
from approvals.mobile.visitors import Visitor
from approvals.models import ApprovalInstance, ApprovalStep, Flow, InstanceStatus, StepStatus
from approvals.visibility import in_company_of, places_of, visible_to

MOST_WAITING = 50
"""Approvals in the list. More wait for nobody; whoever has so many begins with the oldest."""
MOST_TO_START = 10
MOST_DECIDED = 10
DECIDED = (StepStatus.APPROVED, StepStatus.REJECTED, StepStatus.HANDLED)


def seen_by(visitor: Visitor) -> QuerySet[ApprovalInstance]:
    """Approvals that the visitor takes part in; and, for whoever may open the admin's pages, those there."""
    rows = ApprovalInstance.objects.select_related("quote__owner", "applicant", "config")
    mine = rows.filter(_takes_part(visitor))
    if visitor.user is not None and visitor.user.has_perm("approvals.view_approvalinstance"):
        return visible_to(visitor.user, rows) | mine
    return mine


def newer_than(instance: ApprovalInstance, visitor: Visitor) -> ApprovalInstance | None:
    """The newest approval of the same quote, if there is one since that the visitor may see."""
    since = seen_by(visitor).filter(quote=instance.quote_id, pk__gt=instance.pk)
    return since.order_by("-pk").first()


def _takes_part(visitor: Visitor) -> Q:
    parts = Q(pk__in=())
    if visitor.user is not None:
        parts |= Q(applicant=visitor.user) | Q(quote__owner=visitor.user)
    if visitor.member is not None:
        mine = Exists(places_of(visitor.member).filter(instance=OuterRef("pk")))
        parts |= (Q(mine) | Q(applicant_userid__iexact=visitor.userid)) & in_company_of(visitor.member)
    return parts


def waiting_for(visitor: Visitor) -> list[ApprovalInstance]:
    """Pending approvals whose turn it is for the visitor to decide, the oldest first; at most MOST_WAITING and one."""
    if visitor.member is None:
        return []
    rows = ApprovalInstance.objects.all()
    return turns.waiting_for(visitor.member, visitor.actor, rows, most=MOST_WAITING + 1)


def to_start(visitor: Visitor) -> list[ApprovalInstance]:
    """Approvals of WeCom's engine that the visitor submitted and has still to start there, the oldest first; at most
    MOST_TO_START. The message that leads to the start page is easily lost."""
    if visitor.member is None:
        return []
    mine = in_company_of(visitor.member) & Q(applicant_userid__iexact=visitor.userid)
    rows = ApprovalInstance.objects.filter(
        mine, flow=Flow.WECOM_ENGINE, status=InstanceStatus.SUBMITTING, config__isnull=False
    )
    return list(rows.order_by("submitted_at", "pk")[:MOST_TO_START])


def decided_lately(visitor: Visitor) -> list[ApprovalStep]:
    """Decided places of the visitor's, and of those they stood in for; the latest first, each approval once."""
    if visitor.member is None:
        return []
    company = ApprovalInstance.objects.filter(in_company_of(visitor.member))
    rows = places_of(visitor.member).filter(status__in=DECIDED, time__isnull=False, instance__in=company)
    latest: dict[int, ApprovalStep] = {}
    for step in rows.select_related("instance").order_by("-time", "-pk")[: MOST_DECIDED * 2]:
        latest.setdefault(step.instance_id, step)
    return list(latest.values())[:MOST_DECIDED]
