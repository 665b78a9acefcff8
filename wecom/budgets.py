"""How many calls each app may make to each endpoint, counted in Redis for all processes together.

The algorithm is GCRA (a leaky bucket kept as one timestamp) in Lua: one round trip, Redis's own clock, and nothing to
clean up, since every key ends by itself. Rate and burst are chosen so that **no** window of 60 seconds, wherever it
starts, holds more calls than the documented limit (doc 90312).

Lanes share one bucket, but a lower lane may not use its last part: while bulk work runs at full speed, a decision
still finds room at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from wecom.errors import QuotaError
from wecom.redis import redis, redis_needed

Lane = Literal["decision", "notice", "bulk"]

WINDOW_SECONDS: Final = 60
BASIC_CALLS_PER_MINUTE = 10_000
"""Any single API, per corp (doc 90312)."""
TOKEN_CALLS_PER_MINUTE = 60
"""gettoken: our own bound, far above what one token per two hours needs, far below what gets an address blocked."""
APPROVAL_ENDPOINTS = frozenset(
    {
        "oa/gettemplatedetail",
        "oa/applyevent",
        "oa/getapprovalinfo",
        "oa/getapprovaldetail",
        "oa/approval/create_template",
    }
)
LONGEST_WAIT = 1.0
"""Seconds that a call may wait for its turn; beyond that its row waits instead of the worker."""
LARGEST_BURST = 30
LANE_SHARE: dict[Lane, float] = {"decision": 1.0, "notice": 2 / 3, "bulk": 1 / 3}

_SCRIPT = """
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {2, paused} end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = due - tolerance - now
if wait > 0 then return {1, math.ceil(wait / 1000)} end
redis.call('SET', KEYS[1], string.format('%.0f', due + interval), 'PX', math.ceil((due + interval - now) / 1000))
local slot = KEYS[1] .. ':' .. math.floor(clock[1] / ARGV[3])
if redis.call('INCR', slot) == 1 then redis.call('EXPIRE', slot, ARGV[4]) end
return {0, 0}
"""
"""KEYS: the bucket, the pause. ARGV: microseconds per call, how far ahead of the clock the bucket may be, seconds of
a slot in which calls are counted for people to see, and for how many seconds a slot is kept.
Returns {0 taken | 1 over budget | 2 paused, milliseconds to wait}."""
SLOT_SECONDS: Final = 10
SLOTS: Final = WINDOW_SECONDS // SLOT_SECONDS


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` calls at once, then one every ``interval`` seconds: at most ``limit`` in any minute."""

    limit: int

    @property
    def burst(self) -> int:
        return max(1, min(LARGEST_BURST, self.limit // 10))

    @property
    def interval(self) -> float:
        return WINDOW_SECONDS / max(1, self.limit - self.burst)

    def tolerance(self, lane: Lane) -> float:
        """Seconds by which calls of ``lane`` may run ahead of the steady rate."""
        return (max(1, int(self.burst * LANE_SHARE[lane])) - 1) * self.interval

    def free(self, lane: Lane, ahead: float) -> int:
        """How many calls of ``lane`` pass at once while the bucket is ``ahead`` seconds ahead of the clock."""
        room = self.tolerance(lane) - ahead
        return 0 if room < 0 else int(room / self.interval + 1e-6) + 1


def rate_of(endpoint: str) -> Rate:
    """The limit of an endpoint (doc 90312); the approval APIs' comes from WECOM_CALLS_PER_MINUTE."""
    if endpoint in APPROVAL_ENDPOINTS:
        return Rate(settings.WECOM_CALLS_PER_MINUTE)
    return Rate(TOKEN_CALLS_PER_MINUTE if endpoint == "gettoken" else BASIC_CALLS_PER_MINUTE)


class Budget:
    """The budgets of one app; ``app_key`` is the prefix of its keys in Redis."""

    def __init__(self, app_key: str) -> None:
        self._app_key = app_key

    def take(self, endpoint: str, lane: Lane = "decision") -> None:
        """Count one call, waiting at most LONGEST_WAIT for its turn.

        Raises QuotaError with ``retry_after`` when the wait would be longer or the endpoint is paused, and
        RetryableError when Redis is away.
        """
        rate = rate_of(endpoint)
        waited_until = time.monotonic() + LONGEST_WAIT
        while True:
            verdict, milliseconds = self._try(endpoint, rate, lane)
            if verdict == 0:
                return
            seconds = milliseconds / 1000
            if verdict == 2 or time.monotonic() + seconds > waited_until:
                raise over_budget(endpoint, seconds, paused=verdict == 2)
            time.sleep(seconds)

    def _try(self, endpoint: str, rate: Rate, lane: Lane) -> tuple[int, int]:
        interval, tolerance = round(rate.interval * 1e6), round(rate.tolerance(lane) * 1e6)
        script = redis().register_script(_SCRIPT)  # EVALSHA; loads itself again after a SCRIPT FLUSH
        with redis_needed():
            verdict, milliseconds = script(
                keys=[bucket_key(self._app_key, endpoint), pause_key(self._app_key, endpoint)],
                args=[interval, tolerance, SLOT_SECONDS, WINDOW_SECONDS + 2 * SLOT_SECONDS],
            )
        return int(verdict), int(milliseconds)

    def pause(self, endpoint: str, seconds: float) -> None:
        """Nobody calls ``endpoint`` for ``seconds``: WeCom said that a limit was hit. A longer pause stays."""
        with redis_needed():
            key, milliseconds = pause_key(self._app_key, endpoint), round(seconds * 1000)
            if redis().pttl(key) < milliseconds:
                redis().set(key, "1", px=milliseconds)


def bucket_key(app_key: str, endpoint: str) -> str:
    """The key of an endpoint's bucket in Redis; its slots are below it."""
    return f"{app_key}:budget:{endpoint}"


def pause_key(app_key: str, endpoint: str) -> str:
    """The key that exists in Redis while nobody may call ``endpoint``."""
    return f"{app_key}:paused:{endpoint}"


def pauses(app_key: str, endpoints: Sequence[str]) -> dict[str, float]:
    """Which of ``endpoints`` nobody may call now, and for how many seconds. One look into Redis."""
    with redis_needed():
        look = redis().pipeline(transaction=False)
        for endpoint in endpoints:
            look.pttl(pause_key(app_key, endpoint))
        left = look.execute()
    return {endpoint: ms / 1000 for endpoint, ms in zip(endpoints, left, strict=True) if ms > 0}


@dataclass(frozen=True, slots=True)
class Level:
    """How one endpoint of one app stands at the moment of looking."""

    endpoint: str
    limit: int
    """Calls per minute."""
    used: int
    """Calls of the last minute."""
    free: Mapping[Lane, int]
    """Calls that each lane could make at once. The steady rate comes on top."""
    paused: float
    """Seconds for which nobody calls it; 0: it is open."""

    @property
    def left(self) -> int:
        """Calls that the minute still has room for."""
        return 0 if self.paused else max(0, self.limit - self.used)


def levels(app_key: str, endpoints: Sequence[str]) -> list[Level]:
    """How ``endpoints`` stand, in their order. One look into Redis, which takes nothing from any budget.

    Raises RetryableError when Redis is away.
    """
    with redis_needed():
        seconds, microseconds = redis().time()
        slot = seconds // SLOT_SECONDS
        look = redis().pipeline(transaction=False)
        for endpoint in endpoints:
            bucket = bucket_key(app_key, endpoint)
            look.mget([bucket, *(f"{bucket}:{slot - back}" for back in range(SLOTS + 1))])
            look.pttl(pause_key(app_key, endpoint))
        told = look.execute()
    now = seconds * 1_000_000 + microseconds
    oldest = 1 - (now / 1e6 - slot * SLOT_SECONDS) / SLOT_SECONDS  # the part of the oldest slot that still counts
    found = []
    for endpoint, (due, *counts), pause in zip(endpoints, told[::2], told[1::2], strict=True):
        calls = [int(count or 0) for count in counts]
        rate, paused = rate_of(endpoint), max(pause, 0) / 1000
        ahead = max(0, int(due or 0) - now) / 1e6
        free = {lane: 0 if paused else rate.free(lane, ahead) for lane in LANE_SHARE}
        used = sum(calls[:-1]) + math.ceil(calls[-1] * oldest)
        found.append(Level(endpoint, rate.limit, used, free, paused))
    return found


def over_budget(endpoint: str, seconds: float, *, paused: bool) -> QuotaError:
    """The refusal (not raised) of a call that was not made."""
    sentence = _("WeCom blocked this call for a while.") if paused else _("The budget of calls to WeCom is used up.")
    return QuotaError(
        sentence,
        remedy=_("Nothing to do: the system continues by itself when the pause is over."),
        endpoint=endpoint,
        retry_after=seconds,
    )
