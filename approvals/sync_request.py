"""Asking a worker to compare approvals with WeCom now."""

from __future__ import annotations

from collections.abc import Sequence

from celery import current_app
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError

from approvals.exceptions import EngineError
from approvals.models import ApprovalInstance, Flow, InstanceStatus
from config.wakeup import wake

TASK = "approvals.reconcile"


class QueueAway(EngineError):
    """The broker did not take the request. ``retry_after``: seconds, the answer's Retry-After."""

    status_code = 503
    code = "queue_away"
    retry_after = 60

    def __init__(self) -> None:
        super().__init__(_("The queue cannot be reached. Open approvals are compared by themselves once it is back."))


def can_sync(instance: ApprovalInstance) -> bool:
    """Whether WeCom holds something of it, or may: what never got there cannot be asked for."""
    may_be_there = instance.status == InstanceStatus.SUBMITTING or instance.flow == Flow.WECOM_ENGINE
    return bool(instance.sp_no) or may_be_there


def request_comparison(ids: Sequence[int] | None = None) -> None:
    """Queue a comparison of the approvals ``ids``, or of all that are open (None).

    The latter cannot get lost, because a schedule asks for the same thing; the former can, so it raises QueueAway
    when the broker does not take it.
    """
    if ids is None:
        wake(TASK)
        return
    try:
        current_app.send_task(TASK, kwargs={"ids": list(ids)}, retry=False)
    except OperationalError as error:
        raise QueueAway from error
