"""Requests and answers of a stand-in's HTTP server, free of sockets, and the language of its pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings

from config.standin.errors import ControlError

LANGUAGE_COOKIE = "standin_language"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""
    client_ip: str = "127.0.0.1"
    cookies: Mapping[str, str] = field(default_factory=dict)
    authorization: str = ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, {} when there is none. Raises ControlError 400."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as error:
            raise ControlError(400, f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise ControlError(400, "the body must be a JSON object")
        return value

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """``after_sent`` runs once the answer is on the wire. ``promised``: a Content-Length not kept by the body."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    after_sent: Callable[[], None] | None = None
    promised: int | None = None


def json_response(value: Any, status: int = 200, after_sent: Callable[[], None] | None = None) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), status, after_sent=after_sent)


def html_response(text: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(text.encode(), status, "text/html; charset=utf-8", headers)


def redirect(location: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(b"", 303, "text/plain", (("Location", location), *headers))


def language_of(request: Request) -> str:
    """The language that the person chose, else the site's."""
    return _known_language(request.cookies.get(LANGUAGE_COOKIE, ""))


def change_language(request: Request) -> Response:
    """Answers the form with the languages."""
    language = _known_language(request.form().get("language", ""))
    return redirect("/", (("Set-Cookie", f"{LANGUAGE_COOKIE}={language}; Path=/; SameSite=Lax"),))


def _known_language(chosen: str) -> str:
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
