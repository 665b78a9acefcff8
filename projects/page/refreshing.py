"""The *refresh* button: not more often than the library should be asked, and what came of it in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

import structlog
from django.core.cache import cache
from django.utils import timezone
from redis import RedisError

logger = structlog.get_logger(__name__)

PAUSE = timedelta(seconds=30)
"""Between two refreshes of one project, whoever asks."""


def next_turn(remote_id: str) -> datetime | None:
    """Take the turn to refresh this project; else when the next one is. Everybody may while Redis is away: a refresh
    has its own limits, and the button must not be dead because of ours."""
    key = f"project-page:refresh:{quote(remote_id)}"
    again = timezone.now() + PAUSE
    try:
        if cache.add(key, again, timeout=int(PAUSE.total_seconds())):
            return None
        taken: datetime | None = cache.get(key)
    except RedisError as error:
        logger.warning("refresh_throttling_off", error=type(error).__name__)
        return None
    return taken
