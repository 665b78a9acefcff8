"""Moments as the clients of these operations read them: ``2024-02-02 15:30:00``, in the time display's zone."""

from __future__ import annotations

from datetime import datetime

from projects.document import format_time
from projects.reading import SYNC_TIME


def written(moment: datetime | None, zone: str) -> str | None:
    return None if moment is None else format_time(moment, SYNC_TIME, zone)
