"""One look at a project: our copy, confirmed first when it is due or asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from projects.ages import how_old


@dataclass(slots=True)
class Reading:
    document: str
    """The project's JSON text as this viewer may see it."""
    from_cache: bool
    stale: bool
    """It was due or asked for, and could not be confirmed."""
    confirmed_at: datetime
    time_zone: str

    @property
    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.document)
        return fields

    @property
    def cache_time(self) -> str:
        """In the active language."""
        return how_old(timezone.now() - self.confirmed_at)

    @property
    def last_sync(self) -> str:
        return f"{self.confirmed_at.astimezone(ZoneInfo(self.time_zone)):%Y-%m-%d %H:%M:%S}"

    def as_json(self) -> str:
        """The answer of ``GET /api/projects/{id}``. The document is put in as it is: it is JSON already."""
        flags = f'"from_cache": {str(self.from_cache).lower()}, "stale": {str(self.stale).lower()}'
        times = f'"cache_time": {json.dumps(self.cache_time, ensure_ascii=False)}, "last_sync": "{self.last_sync}"'
        return f'{{"project": {self.document}, {flags}, {times}}}'
