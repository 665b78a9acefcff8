"""Examples for the API's pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

NEW_CONFIG = OpenApiExample(
    "Credentials as the console shows them",
    request_only=True,
    value={
        "corpId": "ww0123456789abcdef",
        "corpSecret": "the app's secret",
        "agentId": 1000042,
        "token": "QuotebridgeToken2026",
        "encodingAesKey": "q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
        "enabled": True,
    },
)
CHANGED_CONFIG = OpenApiExample(
    "Another secret; the callback's stays",
    request_only=True,
    value={"corpSecret": "a new secret", "token": "******", "encodingAesKey": "******"},
)
_CAPABILITIES: list[dict[str, Any]] = [
    {
        "capability": "token",
        "ok": True,
        "errcode": None,
        "message": "Works.",
        "remedy": "",
        "place": "",
        "checkedAt": "2026-02-02T15:30:00+08:00",
    },
    {
        "capability": "customers",
        "ok": False,
        "errcode": 84074,
        "message": "The app may not see customers.",
        "remedy": "Give the app this permission in the WeCom console, then retry.",
        "place": "客户联系 → 可调用接口的应用; 客户联系 → 权限配置 → 使用范围",
        "checkedAt": "2026-02-02T15:30:00+08:00",
    },
]
_CONFIG: dict[str, Any] = {
    "id": 2,
    "name": "WeCom 1000042",
    "slug": "app-1000042",
    "corpId": "ww0123456789abcdef",
    "corpSecret": "******",
    "agentId": 1000042,
    "token": "******",
    "encodingAesKey": "******",
    "nextToken": "",
    "nextEncodingAesKey": "",
    "contactSecret": "",
    "contactToken": "",
    "contactEncodingAesKey": "",
    "templateId": "",
    "engineTemplateId": "",
    "defaultApplicant": "",
    "enabled": True,
    "isDefault": False,
    "callbackUrl": "https://quotes.example/wecom/callback/app-1000042",
    "lastCallbackAt": "2026-02-02T15:28:11+08:00",
    "lastCredential": "primary",
    "capabilities": _CAPABILITIES,
    "createdAt": "2026-02-02T15:29:55+08:00",
    "updatedAt": "2026-02-02T15:29:55+08:00",
}
CONFIG = OpenApiExample("An app", response_only=True, status_codes=["200"], value=_CONFIG)
CREATED_CONFIG = OpenApiExample(
    "Saved",
    response_only=True,
    status_codes=["201"],
    value={**_CONFIG, "lastCallbackAt": None, "lastCredential": "", "capabilities": []},
)
TEST_STORED = OpenApiExample("A stored app", request_only=True, value={"id": 2})
TEST_NEW = OpenApiExample(
    "Credentials before they are stored",
    request_only=True,
    value={"corpId": "ww0123456789abcdef", "corpSecret": "the app's secret", "agentId": 1000042},
)
TESTED = OpenApiExample(
    "Connected, but customers are closed",
    response_only=True,
    status_codes=["200"],
    value={"success": True, "message": "The connection works.", "remedy": "", "capabilities": _CAPABILITIES},
)
