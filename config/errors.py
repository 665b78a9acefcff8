"""The page for an error of ours: 503 when the database is away (it comes back), else 500."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Renders without context processors: those read the session, which needs the database."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        response = render(None, "503.html", status=503)
        response.headers["Retry-After"] = "30"
        return response
    return render(None, "500.html", status=500)
