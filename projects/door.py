"""The one way in with a link, for API and page: budget, check, log."""

from __future__ import annotations

from django.http import HttpRequest

from config.addresses import client_network
from config.throttling import RefusedLinkThrottle
from projects import access_log
from projects.access import AccessRefused, Grant, check
from projects.models import AccessOutcome
from projects.throttling import WAIT, budgets


def admit(request: HttpRequest, token: str, remote_id: str, *, door: str, looks: bool = True) -> Grant:
    """The grant of whoever comes with ``token``; the look, or the refusal, is logged.

    ``door``: a choice of ProjectAccessLog.door. ``looks``: false for who is shown nothing yet. Raises AccessRefused
    (with ``retry_after`` when throttled), and the database's own errors.
    """
    try:
        if not budgets.take(client_network(request)):
            raise AccessRefused(AccessOutcome.THROTTLED, retry_after=WAIT)
        grant = _checked(request, token, remote_id)
    except AccessRefused as refused:
        access_log.refuse(request, remote_id, door, refused)
        raise
    if looks:
        access_log.note(request, grant, door)
    return grant


def _checked(request: HttpRequest, token: str, remote_id: str) -> Grant:
    try:
        return check(token, remote_id)
    except AccessRefused as refused:
        throttle = RefusedLinkThrottle()
        if throttle.allow_request(request, None):  # type: ignore[arg-type]
            raise
        wait = max(1, round(throttle.wait() or 0))
        raise AccessRefused(AccessOutcome.THROTTLED, refused.link, retry_after=wait) from None
