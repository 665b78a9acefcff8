"""What every answer of these pages has in common: headers that keep the link to its reader, and forms that need no
referrer."""

from __future__ import annotations

from functools import wraps
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from config.closed_pages import POLICY, OwnCsrf, View, checked, closed
from projects.access import AccessRefused
from projects.page import notices

logger = structlog.get_logger(__name__)


class NoReferrerCsrf(OwnCsrf):
    """A browser that may send no referrer sends ``Origin: null`` with a form, which Django refuses. The form's own
    token proves where it comes from; an ``Origin`` that names another site is refused as ever."""

    @cached_property
    def allowed_origins_exact(self) -> set[str]:
        return {"null", *super().allowed_origins_exact}

    def too_old(self, request: HttpRequest, **place: Any) -> HttpResponse:
        return notices.show(request, place["remote_id"], notices.FORM_TOO_OLD)


def guarded(view: View) -> View:
    """For each view of these pages: CSRF, policy and headers on its answers of every kind, and a page of ours for
    refusals and for a database that is away."""
    protected = checked(NoReferrerCsrf)(view)

    @wraps(view)
    def answer(request: HttpRequest, remote_id: str) -> HttpResponse:
        try:
            return _refusable(protected, request, remote_id)
        except (OperationalError, InterfaceError) as error:
            logger.warning("project_page_away", error=type(error).__name__)
            return notices.away(request, remote_id)

    return closed(policy=POLICY, referrer="no-referrer")(answer)


def _refusable(view: View, request: HttpRequest, remote_id: str) -> HttpResponse:
    try:
        return view(request, remote_id=remote_id)
    except AccessRefused as refusal:
        return notices.refused(request, remote_id, refusal)
