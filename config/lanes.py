"""Lanes: requests that are answered before Django is called.

What Django does around a view (objects for request and answer, signals, resolver, layers of middleware) is several
times the work of a view that reads one row. A lane looks at the web server's own words first and takes the requests
that it can answer from them; everything else goes on to Django untouched.

Lanes are the classes that MIDDLEWARE begins with. The web server asks them before Django (``config.wsgi``); wherever
Django is called without it, as by the test client, the same class is the middleware that it is listed as.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http.client import responses
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest, get_path_info
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = structlog.get_logger(__name__)


class LaneRequest(WSGIRequest):
    """Django's request, of which nothing is made until somebody asks for it.

    For reading: META, method, path_info, GET, COOKIES, is_secure(), get_host(). It leaves ``environ`` as it is, so
    that Django can still make its own.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.META = self.environ = environ  # and nothing of what the base class makes
        self.method = environ["REQUEST_METHOD"]

    @cached_property
    def path_info(self) -> str:  # type: ignore[override]
        return get_path_info(self.environ)


def whole(request: HttpRequest) -> HttpRequest:
    """``request`` with all that Django makes of one."""
    # a copy: Django writes what it has decoded back into it
    return WSGIRequest({**request.environ}) if isinstance(request, LaneRequest) else request


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes


def as_answer(response: HttpResponse, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
    """The answer that a view made, and ``headers`` that it says nothing of. Cookies are not for machines."""
    content = response.content
    # without its length it would go out in chunks
    return Answer(response.status_code, {**headers, "Content-Length": str(len(content)), **response.headers}, content)


REFUSALS = (Http404, PermissionDenied, BadRequest, SuspiciousOperation)
"""Django answers these with 4xx: they are about the request, and no failure of ours."""


class Lane:
    """One kind of request. Made once for all of them, when settings are known."""

    headers: Mapping[str, str] = {}
    """Of answers about trouble: those that the lane's others have, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase] | None = None) -> None:
        """``get_response``: of the middleware; the web server asks lanes without."""
        self._get_response = get_response

    def take(self, request: HttpRequest) -> Callable[[], Answer] | None:
        """What answers ``request``; ``None`` if that is not for this lane. Asked of every request, and must not touch
        the database."""
        raise NotImplementedError

    def answer(self, request: HttpRequest, work: Callable[[], Answer]) -> Answer:
        """What ``work`` says, which this lane took on. Raises nothing."""
        try:
            return work()
        except Exception as error:
            if not isinstance(error, REFUSALS):
                logger.exception("request_failed", path=request.path_info)
            return as_answer(response_for_exception(whole(request), error), self.headers)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """As middleware."""
        work = self.take(request)
        if work is not None:
            answer = self.answer(request, work)
            return HttpResponse(answer.content, status=answer.status, headers=dict(answer.headers))
        if self._get_response is None:
            raise TypeError("a lane with nothing behind it is no middleware")
        return self._get_response(request)


class LanesFirst:
    """A WSGI application: the lanes, then ``application``."""

    def __init__(self, application: WSGIApplication, lanes: Iterable[Lane]) -> None:
        self._application, self._lanes = application, tuple(lanes)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = LaneRequest(environ)
        for lane in self._lanes:
            work = lane.take(request)
            if work is not None:
                connection.close_if_unusable_or_obsolete()  # as Django does before it handles a request
                answer = lane.answer(request, work)
                start_response(f"{answer.status} {responses[answer.status]}", [*answer.headers.items()])
                return [answer.content]
        return self._application(environ, start_response)


def with_lanes(application: WSGIApplication) -> WSGIApplication:
    """``application`` behind the lanes that MIDDLEWARE begins with; itself, if there are none."""
    lanes = [*_leading_lanes()]
    return LanesFirst(application, lanes) if lanes else application


def _leading_lanes() -> Iterable[Lane]:
    """None of those that stand behind other middleware: there they are asked only about what that lets through."""
    for name in settings.MIDDLEWARE:
        middleware: Any = import_string(name)
        if not (isinstance(middleware, type) and issubclass(middleware, Lane)):
            return
        yield middleware()
