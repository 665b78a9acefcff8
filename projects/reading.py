"""One look at a project: our copy, confirmed first when it is due or asked for.

A link whose copy is current is answered with the stored text and no further query.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from projects import refresh
from projects.access import Grant
from projects.ages import how_old
from projects.document import format_time, public_fields, write_document
from projects.models import ProjectCache, ProjectSyncConfig, TimeDisplayConfig

JUST_CONFIRMED = timedelta(seconds=refresh.PAUSE)
"""Whoever asks for a fresh copy is answered with one as young as that."""
SYNC_TIME = "YYYY-MM-DD HH:mm:ss"


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
        return format_time(self.confirmed_at, SYNC_TIME, self.time_zone)

    def as_json(self) -> str:
        """The answer of ``GET /api/projects/{id}``. The document is put in as it is: it is JSON already."""
        flags = f'"from_cache": {str(self.from_cache).lower()}, "stale": {str(self.stale).lower()}'
        times = f'"cache_time": {json.dumps(self.cache_time, ensure_ascii=False)}, "last_sync": "{self.last_sync}"'
        return f'{{"project": {self.document}, {flags}, {times}}}'


def read(
    seen: Grant | ProjectCache, *, use_cache: bool = True, force_sync: bool = False, phone_visible: bool = False
) -> Reading:
    """What the bearer of a grant, or staff, is shown of a project.

    Both flags ask for a fresh copy; so does a copy that is older than the configuration allows. ``phone_visible`` is
    about staff (a grant knows by itself), whose project comes with its source.
    """
    confirmed_at = seen.confirmed_at if isinstance(seen, Grant) else refresh.confirmed_at(seen)
    ttl = seen.ttl if isinstance(seen, Grant) else ProjectSyncConfig.load().ttl
    age = timezone.now() - confirmed_at
    insists = (force_sync or not use_cache) and age > JUST_CONFIRMED
    due = age > ttl
    fresh = refresh.refresh(seen.remote_id, than=confirmed_at, insists=insists) if insists or due else None
    document, zone = _written(fresh, seen) if isinstance(seen, Grant) else _for_staff(fresh or seen, phone_visible)
    if fresh is not None:
        return Reading(document, False, False, refresh.confirmed_at(fresh), zone)
    return Reading(document, True, insists or due, confirmed_at, zone)


def _written(fresh: ProjectCache | None, grant: Grant) -> tuple[str, str]:
    """The document for a link, and the time zone. Stored text if it will do."""
    if fresh is None and grant.document_version == grant.display_version and grant.zone and not grant.phone_visible:
        return grant.document, grant.zone
    copy = fresh or ProjectCache.objects.get(pk=grant.project_id)
    return _document(copy, grant.display, phone_visible=grant.phone_visible)


def _for_staff(copy: ProjectCache, phone_visible: bool) -> tuple[str, str]:
    return _document(copy, TimeDisplayConfig.load(), phone_visible=phone_visible)


def _document(copy: ProjectCache, display: TimeDisplayConfig, *, phone_visible: bool) -> tuple[str, str]:
    if not phone_visible:
        return write_document(copy, display), display.timezone
    fields = public_fields(copy, display, phone_visible=True)
    return json.dumps(fields, ensure_ascii=False), display.timezone
