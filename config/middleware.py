"""Our variations of stock middleware: what a request logs, and whose language it speaks."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django_structlog.middlewares import RequestMiddleware

QUIET_PATHS = ("/wecom/callback", "/health", "/static/")
"""No line per request: WeCom's callbacks are rows of the inbox already, and the others repeat for ever."""


class RequestLogMiddleware(RequestMiddleware):
    """One log line per request, and a request id in every line below it, Celery tasks included."""

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if not request.path_info.startswith(QUIET_PATHS):
            return super().__call__(request)
        structlog.contextvars.bind_contextvars(request_id=str(uuid.uuid4()))
        try:
            return self.get_response(request)
        finally:
            structlog.contextvars.clear_contextvars()


class CookieLocaleMiddleware(LocaleMiddleware):
    """Chinese first: only a language somebody chose (the cookie) counts, not what the browser happens to send."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = dict(settings.LANGUAGES)
        language = chosen if chosen in known else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        return response
