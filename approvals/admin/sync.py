"""*Sync now*: ask WeCom, instead of waiting for the regular comparison."""

from __future__ import annotations

from django.utils.translation import gettext as _

from approvals.models import ApprovalInstance
from approvals.reasons import remote_label
from approvals.reconcile import reconcile
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
