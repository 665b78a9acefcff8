"""Pages and JSON for what no view answered: unknown addresses, and errors of ours."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _
from django.views import defaults

API = "/api/"
RETRY_AFTER = "30"
"""Seconds; a database that restarts is usually back by then."""


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    if request.path_info.startswith(API):
        return _problem(_("There is nothing at this address."), "not_found", 404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: 503 while the database is away (it comes back), else 500.

    Rendered without context processors: those read the session, which needs the database.
    """
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    if request.path_info.startswith(API):
        detail = _("The database cannot be reached; try again soon.") if away else _("An error on our side.")
        code = "not_ready" if away else "server_error"
        response = _problem(detail, code, 503 if away else 500)
    else:
        page = loader.get_template("503.html" if away else "500.html")
        response = HttpResponse(page.render(), status=503 if away else 500)
    if away:
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def _problem(detail: str, code: str, status: int) -> HttpResponse:
    """As REST framework answers errors: its shape, and Chinese that can be read in a terminal."""
    return JsonResponse({"detail": detail, "code": code}, status=status, json_dumps_params={"ensure_ascii": False})
