"""What the views of several apps' REST operations share."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from config.rest_rights import NeedsRight


class WrongState(Exception):
    """409; ``config.rest`` makes the answer. ``current``: what stands in the way."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, code: str, detail: Any, **current: Any) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.current = current


class ClosedApi(APIView):
    """Closed to everybody without the rights that the view names."""

    permission_classes = (IsAuthenticated, NeedsRight)
    rights: dict[str, tuple[str, ...]] = {}

    @staticmethod
    def sent(request: Request, serializer_class: type[Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The body, checked. Raises ValidationError."""
        return _checked(serializer_class(data=request.data, partial=partial))

    @staticmethod
    def asked(request: Request, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The query string, checked. Raises ValidationError."""
        return _checked(serializer_class(data=request.query_params))


def _checked(serializer: Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
