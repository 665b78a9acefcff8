"""What every answer of these pages has in common: headers that keep the link to its reader, and forms that need no
referrer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from csp.constants import NONE, SELF
from csp.decorators import csp
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.decorators import decorator_from_middleware
from django.utils.functional import cached_property
from django.views.decorators.csrf import csrf_exempt

from projects.access import AccessRefused
from projects.page import notices

logger = structlog.get_logger(__name__)

View = Callable[[HttpRequest, str], HttpResponse]

POLICY: dict[str, Any] = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
"""Stricter than the admin's: no script at all, no inline style."""

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "private, no-store",
}


class NoReferrerCsrf(CsrfViewMiddleware):
    """A browser that may send no referrer sends ``Origin: null`` with a form, which Django refuses. The form's own
    token proves where it comes from; an ``Origin`` that names another site is refused as ever."""

    @cached_property
    def allowed_origins_exact(self) -> set[str]:
        return {"null", *super().allowed_origins_exact}

    def process_view(
        self, request: HttpRequest, callback: Any, callback_args: tuple[str], callback_kwargs: dict[str, Any]
    ) -> Any:
        refusal = super().process_view(request, callback, callback_args, callback_kwargs)
        return None if refusal is None else notices.show(request, callback_args[0], notices.FORM_TOO_OLD)


def guarded(view: View) -> View:
    """For each view of these pages: CSRF, policy and headers on its answers of every kind, and a page of ours for
    refusals and for a database that is away."""

    protected: View = decorator_from_middleware(NoReferrerCsrf)(view)  # type: ignore[assignment]

    @wraps(view)
    def answer(request: HttpRequest, remote_id: str) -> HttpResponse:
        try:
            response = _refusable(protected, request, remote_id)
        except (OperationalError, InterfaceError) as error:
            logger.warning("project_page_away", error=type(error).__name__)
            response = notices.away(request, remote_id)
        for name, value in HEADERS.items():
            response.headers[name] = value
        patch_vary_headers(response, ("Cookie",))
        return response

    # of the site's own CSRF check, whose place NoReferrerCsrf takes
    decorated: View = csrf_exempt(csp(POLICY)(answer))  # type: ignore[assignment, arg-type]
    return decorated


def _refusable(view: View, request: HttpRequest, remote_id: str) -> HttpResponse:
    try:
        return view(request, remote_id)
    except AccessRefused as refusal:
        return notices.refused(request, remote_id, refusal)
