"""The refusals of this API alone, for its documentation; those that all operations share are in ``config``."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from config.rest_answers import RefusalSerializer, refusal


class QuoteConflictSerializer(RefusalSerializer):
    id = serializers.IntegerField()
    status = serializers.CharField(help_text="The quote's status now.")
    approval_status = serializers.CharField(help_text="The quote's approval status now.")


class ApprovalConflictSerializer(RefusalSerializer):
    id = serializers.IntegerField()
    status = serializers.CharField(help_text="The approval's status now.")
    remote_status = serializers.CharField(help_text="WeCom's status as last known; empty if nothing is known yet.")


NOTHING_OPEN = refusal("Nothing of this quote is open in WeCom.", "wrong_state", "No approval is open in WeCom.")
STANDIN_FAILED = refusal("The stand-in is away, or refused.", "standin_failed", "The stand-in does not answer.")
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
