"""``GET /api/projects/{id}?token=…`` and ``…/verify-access?token=…``: the lane for links.

A link's token is all that such a request brings: no session, no log-in, no CSRF, no page. So it passes none of the
middleware for browsers and no REST framework, and on the web server not even Django's request handler
(``config.lanes``): together they would be most of the work. Whatever is not exactly such a request goes on to the views
for staff (``projects.api.project_views``), which describe both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from rest_framework.fields import BooleanField

from config.errors import server_error
from config.lanes import Answer, Lane, LaneRequest
from config.middleware import api_language
from projects.access import AccessRefused, Grant
from projects.door import admit
from projects.reading import read

logger = structlog.get_logger(__name__)

_ADDRESS = re.compile(r"/api/projects/([^/]{1,100})(/verify-access)?")
OTHER_ADDRESSES = frozenset({"sync", "sync-history", "sync-statistics"})
"""Words in the place of an ID that are addresses of their own."""
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
"""Of every answer. What else pages carry is about documents and frames, and nothing varies that nobody may store."""


class BadFlag(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.errors = {name: [str(BooleanField.default_error_messages["invalid"])]}


class LinkLane(Lane):
    headers = HEADERS

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase] | None = None) -> None:
        super().__init__(get_response)
        self._https_only = settings.SECURE_SSL_REDIRECT
        self._over_https = _headers_over_https()

    def take(self, request: HttpRequest) -> Callable[[], Answer] | None:
        query_string = request.META.get("QUERY_STRING", "")
        if "token=" not in query_string or request.method != "GET":
            return None
        address = _ADDRESS.fullmatch(request.path_info)
        query = dict(parse_qsl(query_string, keep_blank_values=True)) if address else {}
        if address is None or address[1] in OTHER_ADDRESSES or "token" not in query:
            return None
        secure = bool(self._https_only or self._over_https) and request.is_secure()
        if self._https_only and not secure:
            return None  # SecurityMiddleware, further on, sends it to HTTPS
        return partial(self._answer, request, address[1], query, verify=address[2] is not None, secure=secure)

    def _answer(
        self, request: HttpRequest, remote_id: str, query: dict[str, str], *, verify: bool, secure: bool
    ) -> Answer:
        language = api_language(request)
        translation.activate(language)
        said = _say(request, remote_id, query, verify=verify)
        content = said.text.encode()
        headers = {
            "Content-Type": "application/json",
            **HEADERS,
            "Content-Length": str(len(content)),  # else it would go out in chunks
            "Content-Language": language,
            **said.headers,
        }
        if secure:
            headers |= self._over_https
        return Answer(said.status, headers, content)


def _headers_over_https() -> dict[str, str]:
    """What SecurityMiddleware adds to an answer over HTTPS, if browsers are to insist on that."""
    security = SecurityMiddleware(lambda _request: HttpResponse(headers=HEADERS))
    if not security.sts_seconds:
        return {}
    request = LaneRequest({"REQUEST_METHOD": "GET", "wsgi.url_scheme": "https"})
    response = security.process_response(request, HttpResponse(headers=HEADERS))
    return {name: value for name, value in response.items() if name not in HEADERS and name != "Content-Type"}


class _Said(NamedTuple):
    text: str
    """JSON."""
    status: int = 200
    headers: Mapping[str, str] = {}


def _say(request: HttpRequest, remote_id: str, query: dict[str, str], *, verify: bool) -> _Said:
    try:
        grant = admit(request, query["token"], remote_id, door="verify" if verify else "api")
        if verify:
            return _Said(_json(_verified(grant)))
        use_cache, force_sync = _flag(query, "use_cache", True), _flag(query, "force_sync", False)
        return _Said(read(grant, use_cache=use_cache, force_sync=force_sync).as_json())
    except AccessRefused as refused:
        wait = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
        return _Said(_json(refusal(refused, verify=verify)), refused.status_code, wait)
    except BadFlag as bad:
        return _Said(_json(bad.errors), 400)
    except (OperationalError, InterfaceError) as error:
        logger.warning("link_not_answered", error=type(error).__name__)
        response = server_error(request)  # 503
        return _Said(response.content.decode(), response.status_code, {"Retry-After": response["Retry-After"]})


def _verified(grant: Grant) -> dict[str, Any]:
    return {
        "has_access": True,
        "user_id": grant.user_id,
        "user_name": grant.user_name,
        "access_type": grant.access_type,
    }


def refusal(refused: AccessRefused, *, verify: bool) -> dict[str, Any]:
    answer = {"detail": str(refused.detail), "code": refused.code}
    return {"has_access": False, **answer} if verify else answer


def _flag(query: dict[str, str], name: str, default: bool) -> bool:
    """The same words as in the views for staff. Raises BadFlag."""
    text = query.get(name)
    if text is None:
        return default
    if text in BooleanField.TRUE_VALUES:
        return True
    if text in BooleanField.FALSE_VALUES:
        return False
    raise BadFlag(name)


def _json(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)
