"""``GET /api/projects/{id}?token=…`` and ``…/verify-access?token=…``: the lane for links.

A link's token is all that such a request brings: no session, no log-in, no CSRF, no page. So it passes none of the
middleware for browsers, and no REST framework; together they would be most of the work. Whatever is not exactly such a
request goes on to the views for staff (``projects.api.project_views``), which describe both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from rest_framework.fields import BooleanField

from config.errors import server_error
from config.middleware import api_language
from projects.access import AccessRefused
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


class LinkLaneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._security = SecurityMiddleware(get_response)  # type: ignore[arg-type]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        query_string = request.META.get("QUERY_STRING", "")
        if "token=" not in query_string or request.method != "GET":
            return self.get_response(request)
        address = _ADDRESS.fullmatch(request.path_info)
        query = dict(parse_qsl(query_string, keep_blank_values=True)) if address else {}
        if address is None or address[1] in OTHER_ADDRESSES or "token" not in query:
            return self.get_response(request)
        elsewhere = self._security.process_request(request)  # plain HTTP where HTTPS is a must
        if elsewhere is not None:
            return elsewhere
        language = api_language(request)
        translation.activate(language)
        response = _answer(request, address[1], query, verify=address[2] is not None)
        response.headers["Content-Language"] = language
        if self._security.sts_seconds:
            self._security.process_response(request, response)
        return response


def _answer(request: HttpRequest, remote_id: str, query: dict[str, str], *, verify: bool) -> HttpResponse:
    try:
        grant = admit(request, query["token"], remote_id, door="verify" if verify else "api")
        if verify:
            return _json(
                {
                    "has_access": True,
                    "user_id": grant.user_id,
                    "user_name": grant.user_name,
                    "access_type": grant.access_type,
                }
            )
        use_cache, force_sync = _flag(query, "use_cache", True), _flag(query, "force_sync", False)
        return _text(read(grant, use_cache=use_cache, force_sync=force_sync).as_json())
    except AccessRefused as refused:
        response = _json(refusal(refused, verify=verify), refused.status_code)
        if refused.retry_after:
            response.headers["Retry-After"] = str(refused.retry_after)
        return response
    except BadFlag as bad:
        return _json(bad.errors, 400)
    except (OperationalError, InterfaceError) as error:
        logger.warning("link_not_answered", error=type(error).__name__)
        response = server_error(request)  # 503
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response


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


def _json(answer: dict[str, Any], status: int = 200) -> HttpResponse:
    return _text(json.dumps(answer, ensure_ascii=False), status)


def _text(text: str, status: int = 200) -> HttpResponse:
    content = text.encode()
    headers = {**HEADERS, "Content-Length": str(len(content))}  # else it would go out in chunks
    return HttpResponse(content, status=status, headers=headers, content_type="application/json")
