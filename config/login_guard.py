"""Who has tried too many passwords: axes counts by user name and address; this counts by each of them alone as well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.db.models.functions import Least
from django.http import HttpRequest
from django.utils import timezone

FAILURES_PER_ADDRESS = 50
"""Within AXES_COOLOFF_TIME: a whole office behind one address mistypes less, a list of stolen passwords far more."""

FAILURES_PER_USER = 50
"""Within AXES_COOLOFF_TIME, over all addresses: many machines that guess one person's password together."""
KNOWN_FOR = timedelta(days=30)
"""An address from which a person has logged in is not shut to that person by what others guess elsewhere, or anybody
could lock out a superuser for good."""

WECOM_CODES = "(WeCom)"
"""In the place of a user name: log-ins with a code that WeCom refused. No user can be called so."""


class LogInGuard(AxesDatabaseHandler):
    """Axes has one limit for all its parameters, and a success would clear all of them: whoever has one account could
    go on trying others for ever. So address and user name are counted here, and a success clears only what it concerns.
    """

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        failures: int = super().get_failures(request, credentials)
        username = get_client_username(request, credentials) or ""
        if username == WECOM_CODES:
            failures = 0  # of nobody in particular: they count for the address
        if _of_address(request) >= FAILURES_PER_ADDRESS or _guessed_together(request, username):
            return max(failures, settings.AXES_FAILURE_LIMIT)
        return failures


def _recent(request: HttpRequest) -> QuerySet[AccessAttempt]:
    return AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))


def _of_address(request: HttpRequest) -> int:
    attempts = _recent(request).filter(ip_address=request.axes_ip_address)  # type: ignore[attr-defined]
    return attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0


def _guessed_together(request: HttpRequest, username: str) -> bool:
    """Whether this person is being guessed at from many addresses, and this one is none of the person's own."""
    if username in ("", WECOM_CODES):
        return False
    # No address counts for more than what locks it out itself: one alone must not shut the others.
    by_address = _recent(request).filter(username=username).values("ip_address")
    counted = by_address.annotate(counted=Least(Sum("failures_since_start"), settings.AXES_FAILURE_LIMIT))
    if (counted.aggregate(failures=Sum("counted"))["failures"] or 0) < FAILURES_PER_USER:
        return False
    logins = AccessLog.objects.filter(username=username, attempt_time__gte=timezone.now() - KNOWN_FOR)
    return not logins.filter(ip_address=request.axes_ip_address).exists()  # type: ignore[attr-defined]
