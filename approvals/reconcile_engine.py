"""Comparing approvals of the flow engine (审批流程引擎): one call each, since the engine has no list."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db.models import F
from django.utils import timezone

from approvals.comparison import Comparison, CountedClient
from approvals.models import ApprovalInstance, Flow, InstanceStatus
from approvals.reconcile_oa import OPEN_AT_WECOM
from wecom.errors import PermanentError
from wecom.open_approval import get_open_approval

MOST_PER_RUN = 300
UNKNOWN_NUMBER = 301025
"""How WeCom answers for a number that nobody has sent off yet (not documented for this call; seen)."""


def compare(comparison: Comparison) -> None:
    """Compare the open approvals of the engine, those proved longest ago first."""
    rows = ApprovalInstance.objects.filter(OPEN_AT_WECOM, flow=Flow.WECOM_ENGINE, config__enabled=True)
    oldest_first = rows.order_by(F("last_synced_at").asc(nulls_first=True), "pk")
    confirm(comparison, oldest_first.select_related("config")[:MOST_PER_RUN])


def confirm(comparison: Comparison, instances: Iterable[ApprovalInstance]) -> None:
    for instance in instances:
        if instance.config is not None:
            comparison.attempt(instance.config, partial(_read, comparison, instance), about=instance.third_no)


def _read(comparison: Comparison, instance: ApprovalInstance, client: CountedClient) -> None:
    try:
        found = get_open_approval(client, instance.third_no, lane=comparison.lane)
    except PermanentError as error:
        if error.errcode != UNKNOWN_NUMBER or instance.status != InstanceStatus.SUBMITTING:
            raise
        found = None
    if found is not None:
        comparison.take_in(found, client.config)
        return
    # not started from the page in WeCom yet; marked as asked, so that the others get their turn
    comparison.report.checked += ApprovalInstance.objects.filter(pk=instance.pk).update(last_synced_at=timezone.now())
