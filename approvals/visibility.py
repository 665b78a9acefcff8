"""Which quotes and approvals a person gets to see. Lists, pages, searches and the API all ask here.

Seeing is not acting: what a person may *do* with what is seen is decided in ``approvals.permissions``.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from approvals.models import ApprovalInstance, ApprovalStep, Quote
from wecom.directory import member_of
from wecom.models import Member, WeComConfig

Row = TypeVar("Row", bound=Model)

SEES_ALL = (
    "approvals.view_all_quotes",
    "approvals.manage_all_quotes",
    "approvals.decide_any_approval",
    "approvals.close_conflict",
)
"""Whoever must act on anybody's approval, or oversee them all (auditors), sees all. The others see their own work.

Django's own ``view_quote`` and ``view_approvalinstance`` open the pages of the admin; they say nothing about whose.
"""


def sees_all(user: Any) -> bool:
    return any(user.has_perm(permission) for permission in SEES_ALL)


def visible_to(user: Any, rows: QuerySet[Row]) -> QuerySet[Row]:
    """Those of ``rows`` (quotes or approvals) that ``user`` may see.

    Without one of the rights above: one's own quotes and submissions, and what one approves as a WeCom member
    (approvals with the member among the steps, and their quotes). Raises TypeError for rows of any other kind.
    """
    if rows.model not in (Quote, ApprovalInstance):
        raise TypeError(f"no rule for {rows.model.__name__}")
    if sees_all(user):
        return rows
    taking_part = _takes_part(user)
    if rows.model is ApprovalInstance:
        return rows.filter(Q(quote__owner=user) | taking_part)
    return rows.filter(Q(owner=user) | Exists(ApprovalInstance.objects.filter(taking_part, quote=OuterRef("pk"))))


def _takes_part(user: Any) -> Q:
    """Approvals that ``user`` submitted or decides."""
    member = member_of(user)
    if member is None:
        return Q(applicant=user)
    mine = Exists(places_of(member).filter(instance=OuterRef("pk")))
    return Q(applicant=user) | (Q(mine) & in_company_of(member))


def places_of(member: Member) -> QuerySet[ApprovalStep]:
    """Where the member decides, in their own place or in somebody else's. Userids compare folded (doc 90195)."""
    return ApprovalStep.objects.filter(Q(userid__iexact=member.userid) | Q(delegated_to__iexact=member.userid))


def in_company_of(member: Member) -> Q:
    """Approvals of the member's company: the same userid is somebody else in another. One without an app names none."""
    return Q(corp_id="") | Q(corp_id__in=WeComConfig.objects.filter(pk=member.config_id).values("corp_id"))
