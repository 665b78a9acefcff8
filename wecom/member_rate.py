"""How many messages a member gets from an app: 30 a minute, 1000 an hour. WeCom drops more without a word (doc 90312).

Two lists per member in Redis, for all processes together:

- ``sent``: when the latest messages left, of both lanes. It alone decides: nothing leaves while the last minute or hour
  is full, so no window holds too many, however late a worker is. Notices leave the last places to decisions.
- ``turns``: moments promised to notices, one every INTERVAL. A notice that comes too early is told its turn and waits
  in its queue; nobody sleeps, and a thousand waiting notices do not look for a place again and again.

Like ``wecom.budgets``: Lua, Redis's own clock, keys that end by themselves.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from config.durable import NotYet
from wecom.budgets import LONGEST_WAIT, Lane, over_budget, pause_key
from wecom.redis import redis, redis_needed

ENDPOINT: Final = "message/send"
PER_MINUTE: Final = 30
PER_HOUR: Final = 1000
LEFT_TO_DECISIONS: Final = (1, 30)
"""Places of a minute and of an hour that notices do not take."""
MARGIN: Final = 0.5
"""Seconds added to both windows: a message arrives at WeCom a little after it was counted here, and not always equally
late."""
INTERVAL: Final = 2.12
"""Seconds between two turns: a little more than the window divided by the places, so that a message which leaves up to
a second late does not push the one after it out of its turn."""
LATEST: Final = 20.0
"""Seconds after which a turn is over and is taken anew. Until then a message that comes late still leaves if the minute
has room, so that workers which were busy catch up. After a longer silence all who are late would leave in one heap, and
so they would again each minute."""

_NOW = "local clock = redis.call('TIME') local now = clock[1] * 1000000 + clock[2]"
_COMMON = """
local minute, hour, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local function room_at(list, per_minute, per_hour)
  local at, oldest = 0, redis.call('LINDEX', list, -per_minute)
  if oldest then at = oldest + minute end
  oldest = redis.call('LINDEX', list, -per_hour)
  if oldest then at = math.max(at, oldest + hour) end
  return at
end
local function note(list, moment)
  redis.call('RPUSH', list, string.format('%.0f', moment))
  redis.call('LTRIM', list, -keep, -1)
  redis.call('PEXPIRE', list, math.ceil((math.max(moment, now) - now + hour) / 1000))
end
local function new_turn(sent, turns, per_minute, per_hour, interval)
  local last = redis.call('LINDEX', turns, -1)
  local turn = math.max(now, last and last + interval or 0,
    room_at(turns, per_minute, per_hour), room_at(sent, per_minute, per_hour))
  note(turns, turn)
  return turn
end
local function told(moment) return {string.format('%.0f', moment), string.format('%.0f', moment - now)} end
"""
_RESERVE = """
local turns = {}
for place = 1, #KEYS, 2 do
  turns[#turns + 1] = told(new_turn(KEYS[place], KEYS[place + 1],
    tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])))
end
return turns
"""
"""KEYS: sent and turns of each member. Returns {turn, microseconds until then} for each."""
_TAKE_TURN = """
local paused = redis.call('PTTL', KEYS[1])
if paused > 0 then return {'paused', paused} end
local per_minute, per_hour, interval = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local turn, latest = tonumber(ARGV[7]), tonumber(ARGV[8])
local room = room_at(KEYS[2], per_minute, per_hour)
if now - turn > latest or room - now > minute then turn = new_turn(KEYS[2], KEYS[3], per_minute, per_hour, interval) end
turn = math.max(turn, room)
if turn > now then return told(turn) end
note(KEYS[2], now)
return {}
"""
"""KEYS: the pause, sent, turns. ARGV[7]: the turn, or 0. Returns {} taken | {turn, microseconds} | {paused, ms}."""
_TAKE = """
local paused = redis.call('PTTL', KEYS[1])
if paused > 0 then return {'paused', paused} end
local room = 0
for place = 2, #KEYS do room = math.max(room, room_at(KEYS[place], tonumber(ARGV[4]), tonumber(ARGV[5]))) end
if room > now then return told(room) end
for place = 2, #KEYS do note(KEYS[place], now) end
return {}
"""
"""KEYS: the pause, then sent of each member. All or none is counted. Returns as _TAKE_TURN."""


class MemberBusy(NotYet):
    """A member has had as many messages as WeCom delivers. There is room for this one at ``turn``."""

    def __init__(self, turn: datetime, retry_after: float) -> None:
        super().__init__(
            _("The member has had as many messages as WeCom delivers in a minute or an hour; this one waits its turn."),
            retry_after=retry_after,
        )
        self.turn = turn


class MemberRate:
    """The rates of one app; ``app_key`` is the prefix of its keys in Redis.

    Every method raises RetryableError when Redis is away.
    """

    def __init__(self, app_key: str) -> None:
        self._app_key = app_key

    def reserve(self, userids: Sequence[str]) -> list[MemberBusy]:
        """A turn for one notice to each of ``userids`` (any of them as often as it has notices), first come first
        served. One round trip. An answer without ``retry_after`` may go at once: ``take_turn`` has the last word."""
        keys = [key for userid in userids for key in (self._sent(userid), self._turns(userid))]
        answers = self._run(_RESERVE, keys, [*_places("notice"), _micro(INTERVAL)])
        return [_busy(turn, wait) for turn, wait in answers]

    def take_turn(self, userid: str, turn: datetime | None = None) -> None:
        """Count one notice that leaves now. ``turn``: what ``reserve`` or an earlier MemberBusy promised.

        Raises MemberBusy when it is too early, or too late and the next free turn is not now; QuotaError while WeCom's
        sending is paused.
        """
        keys = [self._pause, self._sent(userid), self._turns(userid)]
        promised = round(turn.timestamp() * 1e6) if turn else 0
        self._settle(self._run(_TAKE_TURN, keys, [*_places("notice"), _micro(INTERVAL), promised, _micro(LATEST)]))

    def take(self, userids: Iterable[str], lane: Lane = "decision") -> None:
        """Count one message to all of ``userids`` that leaves now, waiting at most a second for its place.

        Raises MemberBusy when the wait would be longer, QuotaError while WeCom's sending is paused; then nobody's is
        counted.
        """
        keys = [self._pause, *map(self._sent, userids)]
        waited_until = time.monotonic() + LONGEST_WAIT
        while True:
            try:
                self._settle(self._run(_TAKE, keys, _places(lane)))
            except MemberBusy as busy:
                if time.monotonic() + busy.retry_after > waited_until:
                    raise
                time.sleep(busy.retry_after)
            else:
                return

    def _run(self, script: str, keys: list[str], arguments: list[int]) -> Any:
        windows = [_micro(60 + MARGIN), _micro(3600 + MARGIN), PER_HOUR]
        with redis_needed():
            return redis().register_script(_NOW + _COMMON + script)(keys, [*windows, *arguments])

    def _settle(self, answer: Sequence[str]) -> None:
        if not answer:
            return
        if answer[0] == "paused":
            raise over_budget(ENDPOINT, int(answer[1]) / 1000, paused=True)
        raise _busy(answer[0], answer[1])

    @property
    def _pause(self) -> str:
        return pause_key(self._app_key, ENDPOINT)

    def _sent(self, userid: str) -> str:
        return f"{self._app_key}:member:{userid.casefold()}:sent"  # userids ignore case (doc 90195)

    def _turns(self, userid: str) -> str:
        return f"{self._app_key}:member:{userid.casefold()}:turns"


def _places(lane: Lane) -> list[int]:
    if lane == "decision":
        return [PER_MINUTE, PER_HOUR]
    return [most - left for most, left in zip((PER_MINUTE, PER_HOUR), LEFT_TO_DECISIONS, strict=True)]


def _micro(seconds: float) -> int:
    return round(seconds * 1e6)


def _busy(turn: str, wait: str) -> MemberBusy:
    return MemberBusy(datetime.fromtimestamp(int(turn) / 1e6, UTC), max(0, int(wait)) / 1e6)
