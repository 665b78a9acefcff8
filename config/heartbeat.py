"""Signs of life of the processes that nobody can ask: the Celery worker and beat.

Each leaves a key in Redis that ends by itself, so an old sign never has to be judged by comparing clocks.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Literal

import structlog
from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = structlog.get_logger(__name__)

Part = Literal["worker", "beat"]
PARTS: tuple[Part, ...] = ("worker", "beat")
LIFETIME = 15
"""Seconds after which a silent part counts as gone. Workers say something every 2 s."""
EVERY = 3.0
"""Seconds between two writes of one process."""
TIMEOUT = 0.5
"""Seconds for Redis: a heartbeat must not hold up the loop that it speaks for."""

_last_beat: dict[str, float] = {}


def _key(part: Part) -> str:
    return f"quotebridge:heartbeat:{part}"


def redis() -> Redis:
    return _client(settings.REDIS_URL)


@lru_cache(maxsize=4)
def _client(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0), decode_responses=True
    )


def beat_heart(part: Part) -> None:
    """Say that ``part`` is alive. Never raises; a Redis that is away is somebody else's news."""
    now = time.monotonic()
    if now - _last_beat.get(part, -EVERY) < EVERY:
        return
    _last_beat[part] = now
    try:
        redis().set(_key(part), int(time.time()), ex=LIFETIME)
    except RedisError as error:
        logger.debug("heartbeat_lost", part=part, error=type(error).__name__)


def heard_at(part: Part) -> int | None:
    """When ``part`` last said something (Unix time), if within ``LIFETIME`` seconds. Raises redis.RedisError."""
    told = redis().get(_key(part))
    return int(str(told)) if told else None


def is_alive(part: Part) -> bool:
    """True when ``part`` was heard of within ``LIFETIME`` seconds. Raises redis.RedisError."""
    return bool(redis().exists(_key(part)))
