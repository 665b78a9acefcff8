"""What a visitor sees of a project, read from the database."""

from __future__ import annotations

from dataclasses import dataclass

from projects.document import format_time
from projects.models import ProjectCache, ProjectStatusChange, ProjectType, TimeDisplayConfig
from projects.page.presentation import ProjectView, present
from projects.page.visitors import Visitor
from projects.reading import Reading, read

MOST_CHANGES = 30
"""Newest changes of status that are listed."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The variables of ``templates/project/page.html``."""

    project: ProjectView
    last_sync: str
    age: str
    stale: bool
    gone: bool
    preview: bool
    """Shown to staff, without a link."""
    reader: str
    """Whom the link was made for."""
    until: str
    """When the link ends."""


def see(remote_id: str, visitor: Visitor, *, insists: bool = False) -> Sight | None:
    """The project as ``visitor`` may see it; ``insists``: as its library has it now. ``None``: there is none, which
    only staff can meet."""
    reading = _read(visitor, insists)
    if reading is None:
        return None
    fields = reading.fields
    display = TimeDisplayConfig.load()
    pattern = display.aftersales_time_format if fields["type"] == ProjectType.AFTERSALES else display.sales_time_format
    zone = reading.time_zone
    grant = visitor.grant
    return Sight(
        project=present(fields, _changes(remote_id), pattern=pattern, zone=zone),
        last_sync=format_time(reading.confirmed_at, pattern, zone),
        age=reading.cache_time,
        stale=reading.stale,
        gone=ProjectCache.objects.filter(remote_id=remote_id).exclude(removed_at=None).exists(),
        preview=grant is None,
        reader=grant.user_name if grant else "",
        until=format_time(grant.expires_at, pattern, zone) if grant else "",
    )


def _read(visitor: Visitor, insists: bool) -> Reading | None:
    if visitor.grant is not None:
        return read(visitor.grant, force_sync=insists)
    if visitor.project is None or visitor.staff is None:
        return None
    return read(visitor.project, force_sync=insists, phone_visible=visitor.staff.has_perm("projects.view_phone"))


def _changes(remote_id: str) -> list[ProjectStatusChange]:
    return list(ProjectStatusChange.objects.filter(remote_id=remote_id)[:MOST_CHANGES])
