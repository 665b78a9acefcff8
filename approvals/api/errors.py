"""The refusals of this API, for its documentation. ``config.rest`` makes the answers themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers


class RefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(help_text="A sentence for a person.")
    code = serializers.CharField(help_text="Stable, for programs.")


class QuoteConflictSerializer(RefusalSerializer):
    id = serializers.IntegerField()
    status = serializers.CharField(help_text="The quote's status now.")
    approval_status = serializers.CharField(help_text="The quote's approval status now.")


class ApprovalConflictSerializer(RefusalSerializer):
    id = serializers.IntegerField()
    status = serializers.CharField(help_text="The approval's status now.")
    remote_status = serializers.CharField(help_text="WeCom's status as last known; empty if nothing is known yet.")


def _refusal(description: str, code: str, sentence: str) -> OpenApiResponse:
    example = OpenApiExample(code, value={"detail": sentence, "code": code})
    return OpenApiResponse(RefusalSerializer, description, examples=[example])


UNAUTHENTICATED = _refusal(
    "No valid token or session.", "not_authenticated", "Authentication credentials were not provided."
)
FORBIDDEN = _refusal("Not allowed to this person.", "not_allowed", "You are not allowed to do this.")
NOT_FOUND = _refusal("Unknown, or not visible to this person.", "not_found", "Not found.")
THROTTLED = _refusal(
    "Too many requests; `Retry-After` says how many seconds to wait.", "throttled", "Request was throttled."
)
UNAVAILABLE = _refusal("Not possible just now; `Retry-After` says when.", "queue_away", "The queue cannot be reached.")
NOTHING_OPEN = _refusal("Nothing of this quote is open in WeCom.", "wrong_state", "No approval is open in WeCom.")
STANDIN_FAILED = _refusal("The stand-in is away, or refused.", "standin_failed", "The stand-in does not answer.")
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
QUOTE_CONFLICT = OpenApiResponse(
    QuoteConflictSerializer,
    "Not possible in the quote's present state, which is told.",
    examples=[
        OpenApiExample(
            "Sealed",
            value={
                "detail": "This quote is sealed. Revise it to change it.",
                "code": "sealed",
                "id": 12,
                "status": "in_approval",
                "approval_status": "pending",
            },
        )
    ],
)
APPROVAL_CONFLICT = OpenApiResponse(
    ApprovalConflictSerializer,
    "Not possible in the approval's present state, which is told.",
    examples=[
        OpenApiExample(
            "Already decided",
            value={
                "detail": "The approval is no longer in a state that allows this.",
                "code": "wrong_state",
                "id": 7,
                "status": "approved",
                "remote_status": "approved",
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
