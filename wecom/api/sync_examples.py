"""Examples for the API's pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

SYNC = OpenApiExample("Everything", request_only=True, value={"syncType": "full", "force": False})
OF_APP = OpenApiExample("With another app", request_only=True, value={"syncType": "user", "configId": 2})
FORCE = OpenApiExample("Without the brake", request_only=True, value={"force": True})
STARTED = OpenApiExample("On its way", response_only=True, status_codes=["202"], value={"logId": 812, "etaSeconds": 13})
_LOG: dict[str, Any] = {
    "id": 812,
    "syncType": "user",
    "status": "success",
    "force": False,
    "startedAt": "2024-02-02T15:30:00+08:00",
    "finishedAt": "2024-02-02T15:30:05.6+08:00",
    "durationMs": 5600,
    "fetched": 1200,
    "created": 3,
    "updated": 9,
    "unchanged": 1188,
    "deleted": 1,
    "failed": 0,
    "errorMessage": None,
}
LOGS = OpenApiExample(
    "One run", response_only=True, value={"logs": [_LOG], "pagination": {"page": 1, "pageSize": 20, "total": 1}}
)
_RUNNING: dict[str, Any] = {
    **_LOG,
    "id": 813,
    "syncType": "full",
    "status": "running",
    "finishedAt": None,
    "durationMs": 2100,
    "fetched": 600,
    "created": 0,
    "updated": 0,
    "unchanged": 0,
    "deleted": 0,
    "phase": "user",
    "callsDone": 12,
    "callsExpected": 24,
    "percent": 50,
    "etaSeconds": 3,
    "retries": 0,
    "notBefore": "2024-02-02T15:30:00+08:00",
    "message": "",
    "errorDetail": "",
}
PROGRESS = OpenApiExample("Half-way", response_only=True, value=_RUNNING)
STATUS = OpenApiExample(
    "One run under way, one endpoint paused",
    response_only=True,
    value={
        "running": [_RUNNING],
        "last": {"department": {**_LOG, "id": 811, "syncType": "full"}, "user": _LOG, "customer": None},
        "token": {"expiresAt": "2024-02-02T17:12:00+08:00"},
        "pausedUntil": {"user/list": "2024-02-02T15:31:00+08:00"},
    },
)
