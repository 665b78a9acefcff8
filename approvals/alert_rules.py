"""What the approvals add to the operations alerts: silence of the callbacks, and which dead operations need nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from approvals.models import ApprovalInstance, Flow, InstanceStatus, OperationKind, SyncOperation
from notifications import dead_rows
from notifications.alert_rules import Finding, register_rule
from notifications.models import AlertRuleKind
from notifications.phrases import Phrase
from wecom.models import CallbackEvent, WeComConfig

CALLBACKS = "callbacks:"
DEFAULT_HOURS = 72
"""Longer than a weekend, in which approvals stay open and nobody decides."""

TITLE = gettext_noop("No callback has come from WeCom for %(hours)d hours")
DETAIL = gettext_noop(
    "%(count)d approvals have been open in WeCom for longer than that. Comparing them with WeCom still finds "
    "decisions, only later."
)
REMEDY = gettext_noop(
    "Nothing is wrong if nobody has decided. Otherwise run “python manage.py doctor”: it asks the callback address "
    "from outside, as WeCom does."
)


def silent_callbacks(hours: int) -> list[Finding]:
    """No callback for ``hours`` although approvals were open at WeCom all that time."""
    start = timezone.now() - timedelta(hours=hours)
    if not WeComConfig.objects.filter(enabled=True).exclude(callback_token="").exists():
        return []  # callbacks were never set up: that is a decision, not a silence
    if CallbackEvent.objects.filter(created_at__gte=start).exists():
        return []
    waiting = ApprovalInstance.objects.filter(status=InstanceStatus.PENDING, submitted_at__lt=start).exclude(
        flow=Flow.INTERNAL
    )
    if not (count := waiting.count()):
        return []
    return [
        Finding(
            f"{CALLBACKS}silent",
            title=Phrase(TITLE, hours=hours),
            detail=Phrase(DETAIL, count=count),
            remedy=Phrase(REMEDY),
        )
    ]


def without_resubmitted(rows: QuerySet[Any]) -> QuerySet[Any]:
    """A submission that died needs nobody any more once the same quote has been accepted by WeCom after it."""
    accepted = ApprovalInstance.objects.filter(
        quote=OuterRef("instance__quote"), pk__gte=OuterRef("instance_id")
    ).exclude(sp_no="")
    return rows.exclude(Exists(accepted), kind=OperationKind.SUBMIT)


register_rule(
    AlertRuleKind.CALLBACKS, silent_callbacks, prefix=CALLBACKS, default=DEFAULT_HOURS, unit=_("hours without one")
)
dead_rows.leave_out(SyncOperation, without_resubmitted)
