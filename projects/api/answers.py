"""The refusals of the projects' operations alone, for their documentation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from config.rest_answers import RefusalSerializer, refusal
from projects.api.sync_serializers import SyncResultSerializer


class RunOpenSerializer(RefusalSerializer):
    run_id = serializers.IntegerField(required=False, help_text="The open run's number.")
    run_ids = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="Runs that the brake stopped."
    )


class RemoteFailedSerializer(SyncResultSerializer):
    detail = serializers.CharField(help_text="A sentence for a person.")
    code = serializers.CharField(help_text="Stable, for programs.")


RUN_OPEN = OpenApiResponse(
    RunOpenSerializer,
    "A run over this library is open (`already_running`, with its number); or there is no library (`no_source`); or "
    "the brake stopped the run, because it would have removed too much (`brake`): look, and then send `force`.",
    examples=[
        OpenApiExample(
            "Running already",
            value={"detail": "A run is at it already.", "code": "already_running", "run_id": 812},
        )
    ],
)
_NOTHING: dict[str, Any] = {"total": 0, "updated": 0, "unchanged": 0, "failed": 0, "changes": []}
REMOTE_FAILED = OpenApiResponse(
    RemoteFailedSerializer,
    "No library gave anything usable; the mirror is as it was.",
    examples=[
        OpenApiExample(
            "The library is down",
            value={
                "success": False,
                **_NOTHING,
                "sync_time": "2024-02-02 15:30:00",
                "duration": "3.0秒",
                "message": "The library does not answer.",
                "detail": "The library does not answer.",
                "code": "remote_failed",
            },
        )
    ],
)
LINK_REVOKED = refusal("It is revoked already.", "wrong_state", "This link is revoked already.")
