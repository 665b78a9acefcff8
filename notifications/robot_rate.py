"""How fast an alert address is written to: a robot takes 20 messages in any minute, and blocks who sends more.

The moments of the last messages stand in Redis, for all processes together. Without Redis nothing is counted: an
alert that says "Redis is gone" must not wait for Redis.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Final

from django.utils.translation import gettext as _
from redis import RedisError

from config.durable import NotYet
from wecom.redis import redis

WINDOW: Final = 60.5
"""Seconds; a little more than the minute, because a message arrives a little after it was counted here."""

_TAKE = """
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return paused end
local clock = redis.call('TIME')
local now, limit, window = clock[1] * 1000 + math.floor(clock[2] / 1000), tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], -limit)
if oldest and now - oldest < window then return window - (now - oldest) end
redis.call('RPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], -limit, -1)
redis.call('PEXPIRE', KEYS[1], window)
return 0
"""
"""KEYS: the moments, the pause. ARGV: messages per window, its milliseconds. Returns milliseconds to wait; 0: taken."""


def take_turn(url: str, most_per_minute: int | None) -> None:
    """Count one message to ``url``. Raises NotYet when the address has its full rate, or is paused."""
    wait = 0
    with suppress(RedisError):
        script = redis().register_script(_TAKE)
        # no limit known: room for any number, but a pause is kept
        wait = int(script(keys=_keys(url), args=[most_per_minute or 1_000_000, round(WINDOW * 1000)]))
    if wait:
        raise NotYet(_("The alert address takes no more messages for the moment."), retry_after=wait / 1000)


def pause(url: str, seconds: float) -> None:
    """The receiver said that it was written to too fast: nobody writes to it for ``seconds``."""
    with suppress(RedisError):
        redis().set(_keys(url)[1], "1", px=round(seconds * 1000))


def _keys(url: str) -> list[str]:
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]  # the address is a secret
    return [f"alert:{digest}:sent", f"alert:{digest}:paused"]
