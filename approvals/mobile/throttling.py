"""How often somebody may send a form of these pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.throttling import UserThrottle

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class FormThrottle(UserThrottle):
    """Counts forms, by visitor: above what a person can send, far below what a flood would do to the engine's rows.

    Asked with the visitor's key in the place of a view: ``FormThrottle(key).allow_request(request, None)``.
    """

    scope = "mobile_form"
    rate = "30/min"

    def __init__(self, ident: str) -> None:
        super().__init__()
        self.ident = ident

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return str(self.cache_format % {"scope": self.scope, "ident": self.ident})
