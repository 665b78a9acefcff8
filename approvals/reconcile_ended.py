"""Looking again at approvals that have ended well: a revocation, deletion or payment whose callback was lost.

They are no longer open, so the comparison of open approvals never asks for them. WeCom's lists of what was revoked,
deleted and paid name them; the few that read differently here are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from approvals.comparison import Comparison, CountedClient
from approvals.models import ApprovalInstance, ApprovalTemplate, Flow, InstanceStatus
from approvals.reconcile_oa import MOST_DETAILS, confirm
from approvals.submission import CLOCK_DIFFERENCE
from wecom.oa import LONGEST_WINDOW, list_approval_numbers
from wecom.snapshots import OA_STATUS

EVERY = 15
"""Every 15th run, with the schedule's two minutes every half hour: it is rare, and costs calls without anything being
open."""
AFTER_APPROVAL = (6, 7, 10)
"""``sp_status`` of what may still become of an approved form: revoked, deleted, paid (fact sheet 4.7)."""
NUMBERS_PER_QUERY = 500


def compare(comparison: Comparison, cycle: int) -> None:
    """In every 15th ``cycle``: find what became of the approvals that were submitted in the last 31 days."""
    if (cycle + 1) % EVERY:  # not in the first ones, nor while Redis, which counts them, is away (0)
        return
    end = timezone.now().replace(microsecond=0) + CLOCK_DIFFERENCE
    start = end - LONGEST_WINDOW  # one window, so that an app without news costs one call per status
    for template in _recently_approved(start):
        for status_code in AFTER_APPROVAL:
            work = partial(_changed, comparison, template, status_code, (start, end))
            for sp_no in (comparison.attempt(template.config, work) or [])[:MOST_DETAILS]:
                confirm(comparison, template.config, sp_no)


def _recently_approved(since: datetime) -> QuerySet[ApprovalTemplate]:
    """The templates of which something submitted ``since`` then is approved here."""
    approved = ApprovalInstance.objects.filter(
        template=OuterRef("pk"), flow=Flow.WECOM_OA, status=InstanceStatus.APPROVED, submitted_at__gte=since
    ).exclude(sp_no="")
    return ApprovalTemplate.objects.filter(Exists(approved), config__enabled=True).select_related("config")


def _changed(
    comparison: Comparison,
    template: ApprovalTemplate,
    status_code: int,
    window: tuple[datetime, datetime],
    client: CountedClient,
) -> list[str]:
    """Numbers that WeCom lists with this status and that are known here with another."""
    filters = {"template_id": template.template_id, "sp_status": str(status_code)}
    listed = list(list_approval_numbers(client, start=window[0], end=window[1], filters=filters, lane=comparison.lane))
    return [sp_no for chunk in _chunks(listed) for sp_no in _read_differently(template, chunk, OA_STATUS[status_code])]


def _chunks(numbers: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(numbers), NUMBERS_PER_QUERY):
        yield numbers[first : first + NUMBERS_PER_QUERY]


def _read_differently(template: ApprovalTemplate, numbers: list[str], status: str) -> QuerySet[ApprovalInstance, str]:
    here = ApprovalInstance.objects.filter(config=template.config_id, sp_no__in=numbers)
    return here.exclude(remote_status=status).order_by("pk").values_list("sp_no", flat=True)
