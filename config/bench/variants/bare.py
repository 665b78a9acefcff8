"""Nothing but an HttpResponse, as long as the product's answer about a project: what server and Django cost."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.health import live

CONTENT = b'{"project": "' + b"x" * 1100 + b'"}'
LENGTH = str(len(CONTENT))


def project(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 - as in the product's path
    return HttpResponse(CONTENT, headers={"Content-Length": LENGTH}, content_type="application/json")


urlpatterns = [path("api/projects/<str:id>", project), path("health", live)]
