"""How an app stands with WeCom right now: what is left of its budgets, what is paused, how long its token is good for.

Looks only: nothing here takes from a budget or asks WeCom. All of it raises RetryableError when Redis is away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from wecom.budgets import Level, levels, pauses
from wecom.errors import PermanentError
from wecom.metrics import ENDPOINTS
from wecom.models import WeComConfig
from wecom.tokens import TokenStore, app_key


@dataclass(frozen=True, slots=True)
class AppQuota:
    """One app at one moment."""

    busy: list[Level]
    """Endpoints that are paused or were called in the last minute: paused ones first, then by use. ``gettoken`` is
    paused while its breaker is open, too."""
    idle: list[Level]
    token_until: datetime | None
    """When the access token ends; None: there is none."""
    token_paused: float
    """Seconds for which nobody asks for another one, because WeCom refused."""
    readable: bool
    """Whether the app's secret can be opened."""


def quota_of(config: WeComConfig) -> AppQuota:
    tokens = _tokens(config)
    token_paused = _token_pause(tokens)
    found = _levels(config, token_paused)
    return AppQuota(
        busy=[level for level in found if level.paused or level.used],
        idle=[level for level in found if not (level.paused or level.used)],
        token_until=None if tokens is None else _end(tokens),
        token_paused=token_paused,
        readable=tokens is not None,
    )


def pauses_of(config: WeComConfig) -> Mapping[str, float]:
    """Which endpoints nobody calls, and for how many seconds; ``gettoken`` too while its breaker is open."""
    found = pauses(app_key(config), ENDPOINTS)
    if token_paused := _token_pause(_tokens(config)):
        found["gettoken"] = max(token_paused, found.get("gettoken", 0.0))
    return found


def token_expires_at(config: WeComConfig) -> datetime | None:
    """When the app's access token ends; None: there is none, or none can be asked for."""
    tokens = _tokens(config)
    return None if tokens is None else _end(tokens)


def _levels(config: WeComConfig, token_paused: float) -> list[Level]:
    """In the order of AppQuota.busy."""
    found = [
        replace(level, paused=max(level.paused, token_paused), left=0)
        if token_paused and level.endpoint == "gettoken"
        else level
        for level in levels(app_key(config), ENDPOINTS)
    ]
    return sorted(found, key=lambda level: (-level.paused, -level.used, level.endpoint))


def _tokens(config: WeComConfig) -> TokenStore | None:
    try:
        return TokenStore(config)
    except PermanentError:
        return None  # the secret cannot be opened, which the app's page says


def _token_pause(tokens: TokenStore | None) -> float:
    return 0.0 if tokens is None else tokens.breaker_remaining()


def _end(tokens: TokenStore) -> datetime | None:
    left = tokens.remaining()
    return timezone.now() + timedelta(seconds=left) if left else None
