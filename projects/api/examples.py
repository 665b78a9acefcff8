"""Examples for the API's pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

SYNC = OpenApiExample(
    "Two types, and not waiting",
    request_only=True,
    value={"sync_type": "manual", "force": False, "project_types": ["presale", "sales"], "wait": False},
)
SYNCED = OpenApiExample(
    "Done",
    response_only=True,
    status_codes=["200"],
    value={
        "success": True,
        "total": 1200,
        "updated": 12,
        "unchanged": 1188,
        "failed": 0,
        "sync_time": "2024-02-02 15:30:00",
        "duration": "5.6秒",
        "changes": [
            {"project_id": "P-1001", "old_status": "pending", "new_status": "processing", "notified": True},
        ],
    },
)
SYNC_STARTED = OpenApiExample(
    "On its way", response_only=True, status_codes=["202"], value={"run_id": 812, "run_ids": [812]}
)
PROGRESS = OpenApiExample(
    "Half-way",
    response_only=True,
    value={
        "run_id": 812,
        "source": "default",
        "sync_type": "manual",
        "status": "running",
        "percent": 50,
        "pages_done": 3,
        "announced": 3000,
        "total": 1500,
        "created": 0,
        "updated": 12,
        "unchanged": 1488,
        "failed": 0,
        "removed": 0,
        "started_at": "2024-02-02T15:30:00+08:00",
        "finished_at": None,
        "duration": "2.1秒",
        "message": "",
        "error_detail": "",
    },
)
HISTORY = OpenApiExample(
    "One run",
    response_only=True,
    value={
        "history": [
            {
                "sync_time": "2024-02-02 15:30:00",
                "sync_type": "auto",
                "total_projects": 1200,
                "updated_count": 12,
                "unchanged_count": 1188,
                "failed_count": 0,
                "duration": "5.6秒",
                "status": "success",
                "message": "",
                "error_detail": "",
            }
        ],
        "pagination": {"page": 1, "page_size": 20, "total": 1},
    },
)
STATISTICS = OpenApiExample(
    "One day",
    response_only=True,
    value={"days": [{"day": "2024-02-02", "runs": 96, "changes": 31, "failures": 1, "p50": 5.6, "p95": 7.9}]},
)
_CONFIG: dict[str, Any] = {
    "auto_sync_enabled": True,
    "sync_frequency": "*/15 * * * *",
    "cron_expression": "",
    "cache_ttl": 30,
    "sync_types": ["presale", "aftersales", "sales"],
    "notify_on_change": True,
    "notify_channels": ["wechat", "sms", "email"],
}
SYNC_CONFIG = OpenApiExample(
    "As it is",
    response_only=True,
    status_codes=["200"],
    value={"config": _CONFIG, "last_sync_time": "2024-02-02 15:30:00"},
)
NEW_SYNC_CONFIG = OpenApiExample(
    "Every half hour on workdays", request_only=True, value={**_CONFIG, "cron_expression": "*/30 * * * mon-fri"}
)
SAVED = OpenApiExample(
    "Saved", response_only=True, status_codes=["200"], value={"success": True, "message": "配置已保存"}
)
_TIMES: dict[str, Any] = {
    "aftersales_time_format": "YYYY-MM-DD HH:mm",
    "sales_time_format": "YYYY-MM-DD HH:mm",
    "show_payment_time": True,
    "timezone": "Asia/Shanghai",
}
TIME_DISPLAY = OpenApiExample("As it is", response_only=True, status_codes=["200"], value=_TIMES)
NEW_TIME_DISPLAY = OpenApiExample(
    "Days alone for sales", request_only=True, value={**_TIMES, "sales_time_format": "YYYY-MM-DD"}
)
NEW_LINK = OpenApiExample(
    "For a customer, a week",
    request_only=True,
    value={"user_id": "C-88", "user_name": "王小姐", "access_type": "customer", "days": 7},
)
_LINK: dict[str, Any] = {
    "id": 41,
    "project_id": "P-1001",
    "user_id": "C-88",
    "user_name": "王小姐",
    "access_type": "customer",
    "state": "valid",
    "created_by": "li",
    "created_at": "2024-02-02T15:30:00+08:00",
    "expires_at": "2024-02-09T15:30:00+08:00",
    "revoked_at": None,
    "use_count": 0,
    "last_used_at": None,
}
ISSUED_LINK = OpenApiExample(
    "Made",
    response_only=True,
    status_codes=["201"],
    value={**_LINK, "token": "eyJhbGciOi…", "url": "https://quotes.example.com/project/P-1001?token=eyJhbGciOi…"},
)
REVOKED_LINK = OpenApiExample(
    "Revoked",
    response_only=True,
    status_codes=["200"],
    value={**_LINK, "state": "revoked", "revoked_at": "2024-02-03T09:00:00+08:00"},
)
