"""The refusals that all REST operations share, for their documentation; ``config.rest`` makes the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers


class RefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(help_text="A sentence for a person.")
    code = serializers.CharField(help_text="Stable, for programs.")


def refusal(description: str, code: str, sentence: str) -> OpenApiResponse:
    """A refusal with its ``code`` and an example of its sentence."""
    example = OpenApiExample(code, value={"detail": sentence, "code": code})
    return OpenApiResponse(RefusalSerializer, description, examples=[example])


UNAUTHENTICATED = refusal(
    "No valid token or session.", "not_authenticated", "Authentication credentials were not provided."
)
FORBIDDEN = refusal("Not allowed to this person.", "not_allowed", "You are not allowed to do this.")
NOT_FOUND = refusal("Unknown, or not visible to this person.", "not_found", "Not found.")
THROTTLED = refusal(
    "Too many requests; `Retry-After` says how many seconds to wait.", "throttled", "Request was throttled."
)
UNAVAILABLE = refusal("Not possible just now; `Retry-After` says when.", "queue_away", "The queue cannot be reached.")
INVALID = OpenApiResponse(
    {"type": "object", "additionalProperties": {}},
    "Bad input. Each field with its sentences; items are named by their place, from 0.",
    examples=[
        OpenApiExample(
            "Field errors",
            value={
                "title": ["This field is required."],
                "items": {"1": {"quantity": ["Ensure this value is greater than or equal to 0."]}},
            },
        )
    ],
)

READING = {401: UNAUTHENTICATED, 429: THROTTLED}
READING_ONE = {**READING, 404: NOT_FOUND}
LISTING = {**READING_ONE, 400: INVALID}
"""404: a page beyond the last; 400: a filter that cannot be read."""
WRITING = {**READING, 400: INVALID, 403: FORBIDDEN}


def answers(status: int, body: Any, others: Mapping[int, OpenApiResponse]) -> dict[int, Any]:
    """``responses=`` of an operation: its success first, then its refusals."""
    return {status: body, **dict(sorted(others.items()))}
