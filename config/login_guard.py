"""Who has tried too many passwords: axes counts by user name and address; this counts by address alone as well."""

from __future__ import annotations

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest

FAILURES_PER_ADDRESS = 50
"""Within AXES_COOLOFF_TIME: a whole office behind one address mistypes less, a list of stolen passwords far more."""

WECOM_CODES = "(WeCom)"
"""In the place of a user name: log-ins with a code that WeCom refused. No user can be called so."""


class LogInGuard(AxesDatabaseHandler):
    """Axes has one limit for all its parameters, and a success would clear all of them: whoever has one account could
    go on trying others for ever. So the address is counted here, and a success clears only what it concerns.
    """

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        failures: int = super().get_failures(request, credentials)
        if credentials and credentials.get("username") == WECOM_CODES:
            failures = 0  # of nobody in particular: they count for the address
        of_address = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address,  # type: ignore[attr-defined]
            attempt_time__gte=get_cool_off_threshold(request),
        ).aggregate(failures=Sum("failures_since_start"))["failures"]
        return max(failures, settings.AXES_FAILURE_LIMIT) if (of_address or 0) >= FAILURES_PER_ADDRESS else failures
