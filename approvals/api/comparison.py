"""Asking a worker to compare approvals with WeCom now."""

from __future__ import annotations

from collections.abc import Sequence

from celery import current_app
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError
from rest_framework import status
from rest_framework.exceptions import APIException

from config.wakeup import wake

TASK = "approvals.reconcile"


class QueueAway(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = _("The queue cannot be reached. Open approvals are compared by themselves once it is back.")
    default_code = "queue_away"
    wait = 60
    """Seconds; becomes the answer's Retry-After."""


def request_comparison(ids: Sequence[int] | None) -> None:
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
