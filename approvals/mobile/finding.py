"""Which approvals a visitor gets to see, which wait for them, and which were decided lately."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from approvals import permissions
from approvals.exceptions import NotAllowed
from approvals.mobile.visitors import Visitor
from approvals.models import ApprovalInstance, ApprovalStep, InstanceStatus, StepStatus
from approvals.visibility import visible_to

MOST_WAITING = 50
"""Approvals in the list. More wait for nobody; whoever has so many begins with the oldest."""
MOST_DECIDED = 10
CHUNK = 100
DECIDED = (StepStatus.APPROVED, StepStatus.REJECTED, StepStatus.HANDLED)


def seen_by(visitor: Visitor) -> QuerySet[ApprovalInstance]:
    """Approvals that the visitor takes part in; and, for whoever may open the admin's pages, those there."""
    rows = ApprovalInstance.objects.select_related("quote__owner", "applicant", "config")
    mine = rows.filter(_takes_part(visitor))
    if visitor.user is not None and visitor.user.has_perm("approvals.view_approvalinstance"):
        return visible_to(visitor.user, rows) | mine
    return mine


def _takes_part(visitor: Visitor) -> Q:
    parts = Q(pk__in=())
    if visitor.user is not None:
        parts |= Q(applicant=visitor.user) | Q(quote__owner=visitor.user)
    if visitor.member is not None:
        own = Q(Exists(_steps_of(visitor).filter(instance=OuterRef("pk")))) | Q(applicant_userid__iexact=visitor.userid)
        parts |= own & _of_the_same_company(visitor)
    return parts


def _steps_of(visitor: Visitor) -> QuerySet[ApprovalStep]:
    """Userids compare folded (doc 90195)."""
    return ApprovalStep.objects.filter(Q(userid__iexact=visitor.userid) | Q(delegated_to__iexact=visitor.userid))


def _of_the_same_company(visitor: Visitor) -> Q:
    """Userids are a company's: the same one is somebody else in another. An approval without an app names none."""
    return Q(corp_id__in=("", visitor.member.config.corp_id if visitor.member else ""))


def waiting_for(visitor: Visitor) -> list[ApprovalInstance]:
    """Pending approvals whose turn it is for the visitor to decide, the oldest first; at most MOST_WAITING and one."""
    found = []
    for instance in _candidates(visitor):
        try:
            mine = permissions.deciding_steps(visitor.actor(instance), instance, list(instance.steps.all()))
        except NotAllowed:
            continue
        if mine:
            found.append(instance)
        if len(found) > MOST_WAITING:
            break
    return found


def _candidates(visitor: Visitor) -> Iterator[ApprovalInstance]:
    """Pending ones with an undecided place of the visitor's; whether its turn has come is for the engine to say."""
    if visitor.member is None:
        return iter(())
    places = _steps_of(visitor).filter(instance=OuterRef("pk"), status=StepStatus.PENDING)
    rows = ApprovalInstance.objects.filter(_of_the_same_company(visitor), Exists(places), status=InstanceStatus.PENDING)
    related = rows.select_related("quote__owner", "applicant").prefetch_related(
        Prefetch("steps", ApprovalStep.objects.order_by("node", "position"))
    )
    return related.order_by("submitted_at", "pk").iterator(chunk_size=CHUNK)


def decided_lately(visitor: Visitor) -> list[ApprovalStep]:
    """Decided places of the visitor's, and of those they stood in for; the latest first, each approval once."""
    if visitor.member is None:
        return []
    company = ApprovalInstance.objects.filter(_of_the_same_company(visitor))
    rows = _steps_of(visitor).filter(status__in=DECIDED, time__isnull=False, instance__in=company)
    latest: dict[int, ApprovalStep] = {}
    for step in rows.select_related("instance").order_by("-time", "-pk")[: MOST_DECIDED * 2]:
        latest.setdefault(step.instance_id, step)
    return list(latest.values())[:MOST_DECIDED]
