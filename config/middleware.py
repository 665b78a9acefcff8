"""Our variations of stock middleware: what a request logs, and whose language it speaks."""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django_structlog.middlewares import RequestMiddleware

from config.lanes import Answer, Lane, as_answer, whole

API = "/api/"
MACHINE_PATHS = ("/wecom/callback", "/health", "/metrics")
QUIET_PATHS = (*MACHINE_PATHS, "/static/")
"""No line per request: WeCom's callbacks are rows of the inbox already, and the others repeat for ever."""
LONGEST_KEPT = 200
"""Characters of an Accept-Language whose meaning is remembered."""


class RequestLogMiddleware(RequestMiddleware):
    """One log line per request, and a request id in every line below it, Celery tasks included."""

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if not request.path_info.startswith(QUIET_PATHS):
            return super().__call__(request)
        with _request_id():
            return self.get_response(request)


@contextmanager
def _request_id() -> Iterator[None]:
    """An id for log lines, and no line of the request's own."""
    # uuid4() asks the kernel for randomness and hands the interpreter to another thread meanwhile: 3 % of a
    # callback. The id identifies and protects nothing.
    request_id = uuid.UUID(int=random.getrandbits(128), version=4)
    structlog.contextvars.bind_contextvars(request_id=str(request_id))
    try:
        yield
    finally:
        structlog.contextvars.clear_contextvars()


_view_at = lru_cache(maxsize=64)(resolve)
"""A handful of addresses, called all the time; unknown ones raise and are not kept."""


class MachineLaneMiddleware(Lane):
    """WeCom's servers, health probes and Prometheus skip Django's request handler and all middleware: what is there
    serves browsers (session, language, CSRF, log-in, content policy), and would be half of a callback's CPU. Probes
    come in plain HTTP under any host name.
    """

    def take(self, request: HttpRequest) -> Callable[[], Answer] | None:
        if not request.path_info.startswith(MACHINE_PATHS):
            return None
        try:
            match = _view_at(request.path_info)
        except Resolver404:
            return None
        return partial(self._answer, request, match)

    def answer(self, request: HttpRequest, work: Callable[[], Answer]) -> Answer:
        with _request_id():
            return super().answer(request, work)

    @staticmethod
    def _answer(request: HttpRequest, match: ResolverMatch) -> Answer:
        request = whole(request)
        request.resolver_match = match
        return as_answer(match.func(request, *match.args, **match.kwargs))


def api_language(request: HttpRequest) -> str:
    """What a program at the API is answered in: a chosen language (the cookie), else what it says it accepts, else
    LANGUAGE_CODE."""
    accepted = request.META.get("HTTP_ACCEPT_LANGUAGE", "")
    if "HTTP_COOKIE" not in request.META and len(accepted) <= LONGEST_KEPT:
        return _best_language(accepted, settings.LANGUAGE_CODE)
    return _chosen_language(request) or translation.get_language_from_request(request)


@lru_cache(maxsize=256)
def _best_language(accepted: str, otherwise: str) -> str:
    """Programs accept the same in each of their requests."""
    if not accepted:
        return otherwise
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = accepted
    return translation.get_language_from_request(request)


def _chosen_language(request: HttpRequest) -> str | None:
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in dict(settings.LANGUAGES) else None


class CookieLocaleMiddleware(LocaleMiddleware):
    """Chinese first: for pages only a language somebody chose (the cookie) counts, not what the browser happens to
    send. A program at the API has no cookie, and its Accept-Language is a choice.
    """

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(API):
            language = api_language(request)
        else:
            language = _chosen_language(request) or settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        if request.path_info.startswith(API):
            patch_vary_headers(response, ("Accept-Language",))
        return response
