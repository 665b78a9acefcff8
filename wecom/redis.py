"""The one way to Redis for what the WeCom side shares between processes: tokens, locks, breakers, budgets.

Short time-outs on purpose: a Redis that hangs must cost a call two seconds, not a minute, and nothing here is worth
waiting for, since the row that wanted the call is repeated anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from wecom.errors import RetryableError

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0


def redis() -> Redis:
    """The shared client for REDIS_URL. Safe for threads, and after a fork."""
    return _client(settings.REDIS_URL)


@lru_cache(maxsize=4)
def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # One repetition: the first command after a restart of Redis meets a connection that is gone. Not after a
        # time-out: that would double it.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        decode_responses=True,
    )


@contextmanager
def redis_needed() -> Iterator[None]:
    """Turns a failure of Redis inside the block into RetryableError."""
    try:
        yield
    except RedisError as error:
        raise RetryableError(
            _("Redis cannot be reached, and calls to WeCom need it for the access token and the call budget."),
            remedy=_("Nothing to do if Redis is restarting; else check REDIS_URL."),
        ) from error
