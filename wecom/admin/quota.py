"""How the apps stand with WeCom at this moment: the quota page, and its short form on the admin's first page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from wecom.budgets import Level
from wecom.errors import WeComError
from wecom.models import WeComConfig
from wecom.quota import quota_of

SHOWN = 5
"""Endpoints of one app on the first page, and apps."""


def quota_context() -> dict[str, Any]:
    """``apps``, or ``trouble`` when nobody knows."""
    now = timezone.now()
    try:
        apps = [
            {
                "config": config,
                "quota": (quota := quota_of(config)),
                "busy": _with_ends(quota.busy, now),
                "token_paused_until": now + timedelta(seconds=quota.token_paused),
            }
            for config in _apps()
        ]
    except WeComError as error:  # Redis is away
        return {"trouble": error}
    return {"apps": apps}


def panel_context() -> dict[str, Any]:
    """``apps`` with the endpoints that are paused or busiest (``more``: the number of others), or ``trouble``."""
    now = timezone.now()
    try:
        found = [(config, quota_of(config).busy) for config in _apps()[:SHOWN]]
    except WeComError as error:  # Redis is away
        return {"trouble": error}
    return {
        "apps": [
            {"config": config, "busy": _with_ends(busy[:SHOWN], now), "more": len(busy[SHOWN:])}
            for config, busy in found
            if busy
        ]
    }


def _apps() -> Any:
    return WeComConfig.objects.filter(enabled=True).order_by("-is_default", "name")


def _with_ends(levels: list[Level], now: datetime) -> list[tuple[Level, datetime]]:
    """Each with the moment at which its pause ends."""
    return [(level, now + timedelta(seconds=level.paused)) for level in levels]
