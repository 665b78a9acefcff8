"""After a failed gettoken: do not ask again for a while, in no process.

Wrong-secret storms make WeCom block the whole address for an hour, every other app on it included (doc 91039). The
breaker belongs to one secret, so a corrected secret is tried at once.
"""

from __future__ import annotations

import json
from math import ceil

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from wecom.errors import IT_REPEATS, PermanentError, QuotaError, RetryableError, WeComError, error_for
from wecom.redis import redis, redis_needed

REFUSED_SECONDS = 300.0
"""Wrong secret and its like: ask again after minutes, in case it was put right in WeCom."""
BLOCKED_SECONDS = 3600.0
"""45009 on gettoken: the address is blocked for an hour."""
FAILED_SECONDS = 3.0
"""Time-outs and "busy": long enough that waiting processes do not run into the same time-out one by one."""


class Breaker:
    """The breaker of one secret; ``key`` is its key in Redis."""

    def __init__(self, key: str) -> None:
        self._key = key

    def open(self, error: WeComError) -> WeComError:
        """Stop asking for the time that ``error`` deserves. Returns it with its ``retry_after`` set."""
        error.retry_after = seconds = _seconds(error)
        with redis_needed():
            redis().set(self._key, json.dumps([error.errcode, error.errmsg]), px=round(seconds * 1000))
        return error

    def remaining(self) -> float:
        """Seconds for which it stays open; 0 when it is closed."""
        with redis_needed():
            return max(redis().pttl(self._key), 0) / 1000

    def check(self) -> None:
        """Raise the error that opened the breaker, if it is open."""
        with redis_needed():
            look = redis().pipeline()
            look.get(self._key)
            look.pttl(self._key)
            stored, milliseconds = look.execute()
        if stored is not None:
            errcode, errmsg = json.loads(stored)
            raise _remembered(errcode, errmsg, max(milliseconds, 0) / 1000)


def _seconds(error: WeComError) -> float:
    if isinstance(error, PermanentError):
        return REFUSED_SECONDS
    return BLOCKED_SECONDS if isinstance(error, QuotaError) else FAILED_SECONDS


def _remembered(errcode: int | None, errmsg: str, seconds: float) -> WeComError:
    """The error of the last gettoken, said again without asking."""
    if errcode is None:
        return RetryableError(
            _("WeCom could not be reached a moment ago."), remedy=IT_REPEATS, endpoint="gettoken", retry_after=seconds
        )
    error = error_for("gettoken", errcode, errmsg, final=True)
    error.retry_after = seconds
    error.remedy = format_lazy(
        _("{remedy} WeCom will be asked again in {seconds} s at the earliest, or as soon as another secret is saved."),
        remedy=error.remedy,
        seconds=ceil(seconds),
    )
    return error
