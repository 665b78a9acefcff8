"""*Sync now*: ask WeCom, instead of waiting for the regular comparison."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.models import ApprovalInstance
from approvals.reasons import remote_label
from approvals.reconcile import reconcile
from approvals.sync_request import QueueAway, request_comparison
from config.verbs import Refused

STATE = ("status", "remote_status", "remote_status_code", "remote_pending", "conflict", "sp_no")


def sync_now(instance: ApprovalInstance) -> str:
    """Compare one approval with WeCom while the person waits; returns what came of it. Raises Refused."""
    before = [getattr(instance, name) for name in STATE]
    report = reconcile([instance.pk])
    if report.errors:
        raise Refused(" ".join(report.errors))
    instance.refresh_from_db()
    if not report.checked:
        return _("WeCom was asked, and does not hold this approval yet.")
    if [getattr(instance, name) for name in STATE] == before:
        return _("Compared with WeCom: nothing new.")
    values = {"here": instance.get_status_display(), "there": remote_label(instance)}
    return _("Compared with WeCom. Here: %(here)s; in WeCom: %(there)s.") % values


def sync_later(instances: Sequence[ApprovalInstance]) -> str:
    """Let a worker compare many. Raises Refused."""
    try:
        request_comparison([instance.pk for instance in instances])
    except QueueAway as error:
        raise Refused(error.detail) from error
    count = len(instances)
    text = ngettext(
        "%(count)d approval is being compared with WeCom.", "%(count)d approvals are being compared with WeCom.", count
    )
    return text % {"count": count}
