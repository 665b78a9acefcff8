"""What every REST answer has in common: errors and pages.

Errors are DRF's shape with a code beside the sentence: ``{"detail": …, "code": …}``; refused input names its fields.
A domain exception becomes an answer by having ``status_code`` (and ``code``, ``detail``; for 400 ``errors``, a dict
of field to sentences; for 409 ``current``, the state that stood in the way; for 503 ``retry_after``, seconds), so that
no app has to be imported here.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler

from config.throttling import AnonymousThrottle


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. ``None`` (a 500) for everything that is not a known refusal."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        error = _throttled(context) or error
    if not isinstance(error, exceptions.APIException) and hasattr(error, "status_code"):
        return _domain_answer(error)
    response = drf_exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return response
    if isinstance(response.data, list):  # refused input without a field, such as a search term
        response.data = {api_settings.NON_FIELD_ERRORS_KEY: response.data}
    if isinstance(response.data, dict) and set(response.data) == {"detail"}:
        detail = response.data["detail"]
        response.data["code"] = getattr(detail, "code", error.default_code)
    return response


def _throttled(context: dict[str, Any]) -> exceptions.Throttled | None:
    """What a stranger is told who has been refused too often. Whoever has a valid token is not asked, so that nobody
    can lock out those who share an address with them."""
    throttle = AnonymousThrottle()
    if throttle.allow_request(context["request"], context["view"]):
        return None
    return exceptions.Throttled(wait=throttle.wait())


def _domain_answer(error: Any) -> Response:
    if getattr(error, "errors", None):
        return Response({field: list(messages) for field, messages in error.errors.items()}, status=error.status_code)
    answer = {"detail": str(getattr(error, "detail", error)), "code": str(getattr(error, "code", "error"))}
    retry_after = getattr(error, "retry_after", None)
    headers = {"Retry-After": str(retry_after)} if retry_after else None
    return Response({**answer, **(getattr(error, "current", None) or {})}, status=error.status_code, headers=headers)


class PageNumbers(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
