"""How many calls each app may make to each endpoint, counted in Redis for all processes together.

The algorithm is GCRA (a leaky bucket kept as one timestamp) in Lua: one round trip, Redis's own clock, and nothing to
clean up, since every key ends by itself. Rate and burst are chosen so that **no** minute and **no** hour, wherever it
starts, holds more calls than the documented limit (doc 90312). A call is counted in all its buckets or in none.

Lanes share one bucket, but a lower lane may not use its last part: while bulk work runs at full speed, a decision
still finds room at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from wecom.errors import QuotaError, RetryableError
from wecom.rates import HOUR, LANE_SHARE, MINUTE, Lane, Rate, has_long_blocks, rates_of
from wecom.redis import redis, redis_needed

LONGEST_WAIT = 1.0
"""Seconds that a call may wait for its turn; beyond that its row waits instead of the worker."""
REMEMBERED = float(HOUR)
"""Seconds for which it is known after a pause that there was one, unless a call has succeeded."""

_SCRIPT = """
local paused = redis.call('PTTL', KEYS[1])
if paused > 0 then return {2, paused, 0} end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local due, wait = {}, 0
for place = 4, #KEYS do
  local tolerance = tonumber(ARGV[2 * place - 4])
  due[place] = math.max(tonumber(redis.call('GET', KEYS[place]) or 0), now)
  wait = math.max(wait, due[place] - tolerance - now)
end
if wait > 0 then return {1, math.ceil(wait / 1000), 0} end
for place = 4, #KEYS do
  local next = due[place] + tonumber(ARGV[2 * place - 5])
  redis.call('SET', KEYS[place], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
end
local slot = KEYS[3] .. ':' .. math.floor(clock[1] / ARGV[1])
if redis.call('INCR', slot) == 1 then redis.call('EXPIRE', slot, ARGV[2]) end
return {0, 0, redis.call('EXISTS', KEYS[2])}
"""
"""KEYS: the pause, the mark that there was one, what slots are named after, then the buckets. ARGV: seconds of a slot
in which calls are counted for people to see, for how many seconds a slot is kept; then for each bucket microseconds per
call and how far ahead of the clock it may be.
Returns {0 taken | 1 over budget | 2 paused, milliseconds to wait, 1 if no call has succeeded since the last pause}."""
_PAUSE = """
local left, wanted = redis.call('PTTL', KEYS[1]), tonumber(ARGV[1])
if left <= 0 and redis.call('EXISTS', KEYS[2]) == 1 then wanted = math.max(wanted, tonumber(ARGV[2])) end
if left >= wanted then return left end
redis.call('SET', KEYS[1], '1', 'PX', wanted)
if tonumber(ARGV[2]) > 0 then redis.call('SET', KEYS[2], '1', 'PX', wanted + tonumber(ARGV[3])) end
return wanted
"""
"""KEYS: the pause, the mark. ARGV: milliseconds of the pause, of one that follows a pause (0: as long, and no mark),
for how long after its end a pause is remembered. Returns the milliseconds that are left."""
SLOT_SECONDS: Final = 10
SLOTS: Final = MINUTE // SLOT_SECONDS


class Budget:
    """The budgets of one app; ``app_key`` is the prefix of its keys in Redis."""

    def __init__(self, app_key: str) -> None:
        self._app_key = app_key

    def take(self, endpoint: str, lane: Lane = "decision") -> bool:
        """Count one call, waiting at most LONGEST_WAIT for its turn. True: none has succeeded since the last pause, so
        whoever makes the call says ``reopen`` if it does.

        Raises QuotaError with ``retry_after`` when the wait would be longer or the endpoint is paused, and
        RetryableError when Redis is away.
        """
        rates = rates_of(endpoint)
        waited_until = time.monotonic() + LONGEST_WAIT
        while True:
            verdict, milliseconds, after_pause = self._try(endpoint, rates, lane)
            if verdict == 0:
                return bool(after_pause)
            seconds = milliseconds / 1000
            if verdict == 2 or time.monotonic() + seconds > waited_until:
                raise over_budget(endpoint, seconds, paused=verdict == 2)
            time.sleep(seconds)

    def _try(self, endpoint: str, rates: Sequence[Rate], lane: Lane) -> list[int]:
        app_key = self._app_key
        keys = [pause_key(app_key, endpoint), _mark_key(app_key, endpoint), bucket_key(app_key, endpoint)]
        script = redis().register_script(_SCRIPT)  # EVALSHA; loads itself again after a SCRIPT FLUSH
        with redis_needed():
            answer = script(
                keys=[*keys, *(bucket_key(app_key, endpoint, rate.window) for rate in rates)],
                args=[
                    SLOT_SECONDS,
                    MINUTE + 2 * SLOT_SECONDS,
                    *(round(part * 1e6) for rate in rates for part in (rate.interval, rate.tolerance(lane))),
                ],
            )
        return [int(number) for number in answer]

    def pause(self, endpoint: str, seconds: float, *, then: float = 0.0) -> float:
        """Nobody calls ``endpoint`` for ``seconds``: WeCom said that a limit was hit. A longer pause stays.

        ``then``: the seconds instead, when nothing has succeeded since such a pause was over and a longer limit may be
        behind it. Returns for how long it is paused now.
        """
        then = then if has_long_blocks(endpoint) else 0.0
        keys = [pause_key(self._app_key, endpoint), _mark_key(self._app_key, endpoint)]
        milliseconds = [round(part * 1000) for part in (seconds, then, REMEMBERED)]
        with redis_needed():
            return int(redis().register_script(_PAUSE)(keys=keys, args=milliseconds)) / 1000

    def reopen(self, endpoint: str) -> None:
        """A call has succeeded after a pause: the next refusal is a new one. Without Redis it stays remembered."""
        with suppress(RetryableError), redis_needed():
            redis().delete(_mark_key(self._app_key, endpoint))


def bucket_key(app_key: str, endpoint: str, window: int = MINUTE) -> str:
    """The key of an endpoint's bucket in Redis; the slots are below the minute's."""
    return f"{app_key}:budget{'' if window == MINUTE else f'-{window}'}:{endpoint}"


def pause_key(app_key: str, endpoint: str) -> str:
    """The key that exists in Redis while nobody may call ``endpoint``."""
    return f"{app_key}:paused:{endpoint}"


def _mark_key(app_key: str, endpoint: str) -> str:
    """The key that exists from a pause's beginning until a call has succeeded after it."""
    return f"{app_key}:was-paused:{endpoint}"


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
    limit: int | None
    """Calls per minute; None: WeCom does not count them by the minute."""
    used: int
    """Calls of the last minute."""
    free: Mapping[Lane, int]
    """Calls that each lane could make at once; empty without a limit. The steady rate comes on top."""
    paused: float
    """Seconds for which nobody calls it; 0: it is open."""
    left: int | None
    """Calls that the minute still has room for, and the hour too; None: without a limit."""


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
            look.mget([f"{bucket}:{slot - back}" for back in range(SLOTS + 1)])
            look.mget([bucket, bucket_key(app_key, endpoint, HOUR)])
            look.pttl(pause_key(app_key, endpoint))
        told = look.execute()
    now = seconds + microseconds / 1e6
    oldest = 1 - (now - slot * SLOT_SECONDS) / SLOT_SECONDS  # the part of the oldest slot that still counts
    found = []
    for endpoint, counts, dues, pause in zip(endpoints, told[::3], told[1::3], told[2::3], strict=True):
        calls = [int(count or 0) for count in counts]
        ahead = [max(0.0, int(due or 0) / 1e6 - now) for due in dues]
        found.append(_level(endpoint, sum(calls[:-1]) + math.ceil(calls[-1] * oldest), ahead, max(pause, 0) / 1000))
    return found


def _level(endpoint: str, used: int, ahead: Sequence[float], paused: float) -> Level:
    """``ahead``: of the clock, in seconds, of the minute's bucket and the hour's."""
    rates = list(zip(rates_of(endpoint), ahead, strict=False))
    if not rates:
        return Level(endpoint, None, used, {}, paused, left=0 if paused else None)
    free = {lane: 0 if paused else min(rate.free(lane, by) for rate, by in rates) for lane in LANE_SHARE}
    limit = rates[0][0].limit
    of_hour = [rate.free("decision", by) + int(MINUTE / rate.interval) for rate, by in rates if rate.window == HOUR]
    left = 0 if paused else min(max(0, limit - used), *of_hour, limit)
    return Level(endpoint, limit, used, free, paused, left)


def over_budget(endpoint: str, seconds: float, *, paused: bool) -> QuotaError:
    """The refusal (not raised) of a call that was not made."""
    sentence = _("WeCom blocked this call for a while.") if paused else _("The budget of calls to WeCom is used up.")
    return QuotaError(
        sentence,
        remedy=_("Nothing to do: the system continues by itself when the pause is over."),
        endpoint=endpoint,
        retry_after=seconds,
    )
