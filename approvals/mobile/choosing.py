"""The search for a colleague who decides in somebody's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from approvals.models import ApprovalInstance, ApprovalStep
from wecom.configs import default_config
from wecom.login.policy import ACTIVE
from wecom.models import Member

LONGEST_WANTED = 64
"""Characters; no name is longer."""
MOST_FOUND = 20
"""Members on one page. Whoever finds more types more."""


@dataclass(frozen=True, slots=True)
class Found:
    members: list[Member]
    more: bool
    """Whether further ones match."""


def search(instance: ApprovalInstance, steps: Sequence[ApprovalStep], wanted: str) -> Found:
    """Members whose name, alias or userid contains ``wanted``; nobody for an empty text. Who has a place in the
    approval already is left out."""
    if not wanted:
        return Found([], more=False)
    matches = Q(name__icontains=wanted) | Q(alias__icontains=wanted) | Q(userid__icontains=wanted)
    rows = colleagues(instance).filter(matches).prefetch_related("departments").order_by("name", "userid")
    taken = {userid.casefold() for step in steps for userid in (step.userid, step.delegated_to)}
    taken.add(instance.applicant_userid.casefold())
    # one person may stand in the lists of several apps of the company, of which some are told no names
    named_last = sorted(rows[: (MOST_FOUND + len(taken)) * 2], key=lambda row: row.name != row.userid)
    found = {row.userid.casefold(): row for row in named_last if row.userid.casefold() not in taken}
    members = sorted(found.values(), key=lambda row: (row.name, row.userid))
    return Found(members[:MOST_FOUND], more=len(members) > MOST_FOUND)


def colleague(instance: ApprovalInstance, userid: str) -> Member | None:
    """The current member ``userid`` of the approval's company."""
    rows = colleagues(instance).filter(userid__iexact=userid)
    return max(rows, key=lambda row: row.name != row.userid, default=None)


def colleagues(instance: ApprovalInstance) -> QuerySet[Member]:
    """Who is there and active in the approval's company, or in the default app's."""
    config = None if instance.corp_id else default_config()
    corp_id = config.corp_id if config else instance.corp_id
    current: QuerySet[Member] = Member.objects.current()
    return current.filter(Q(status=ACTIVE) | Q(status=None), config__corp_id=corp_id)
