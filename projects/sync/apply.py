"""Writing what has changed: the copies, their status changes, and the notifications about them, all or nothing.

A run writes page by page through ``apply_changed``; whoever refreshes a single project does so through
``apply_one``. Both lock the rows they are about to write, so that of two writers each status change is told by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from projects.errors import BadProject
from projects.models import ProjectCache, ProjectStatusChange, ProjectSyncHistory, RemoteSource, TimeDisplayConfig
from projects.parsing import Parsed, parse
from projects.sync.writing import upsert
from projects.telling import Change, tell_changes


@dataclass(frozen=True, slots=True)
class Applied:
    """How many rows were written, new ones included, and how many of these are new."""

    written: int
    created: int


def apply_changed(
    source: RemoteSource,
    projects: Sequence[Parsed],
    *,
    asked_at: datetime,
    display: TimeDisplayConfig,
    run: ProjectSyncHistory | None = None,
) -> Applied:
    """Write ``projects`` as they were at ``asked_at``; to be called in a transaction. A constant number of queries.

    What somebody else has written since, or in the same words, is left alone.
    """
    rows = ProjectCache.objects.select_for_update().filter(remote_id__in=[project.remote_id for project in projects])
    before = {row.remote_id: row for row in rows.order_by("remote_id").defer("document", "extra", "stakeholders")}
    # in one order, so that two writers of the same new rows wait for each other instead of blocking both
    fresh = sorted((project for project in projects if _is_news(before, project, source, asked_at)), key=_by_id)
    now = timezone.now()
    upsert(source, fresh, asked_at=asked_at, now=now, display=display)
    changes = [
        Change(_status_change(before[project.remote_id], project, run, now), project)
        for project in fresh
        if project.remote_id in before and before[project.remote_id].status != project.status
    ]
    if changes:
        ProjectStatusChange.objects.bulk_create(change.row for change in changes)
        tell_changes(changes)
    return Applied(len(fresh), sum(project.remote_id not in before for project in fresh))


def apply_one(source: RemoteSource, item: Any, *, now: datetime) -> ProjectCache:
    """Write one project that ``source`` gave when asked at ``now``; returns its copy, which is confirmed by it.

    Raises BadProject, and leaves the copy as it is, when the item cannot be used.
    """
    parsed = parse(source, item)
    with transaction.atomic():
        apply_changed(source, [parsed], asked_at=now, display=TimeDisplayConfig.load())
        copies = ProjectCache.objects.filter(remote_id=parsed.remote_id, source=source)
        copies.filter(fetched_at__lt=now).update(fetched_at=now)  # nothing has changed: only its age
        copy = copies.first()
    if copy is None:
        raise BadProject(_("Another source has a project of the same ID."))
    return copy


def note_gone(project: ProjectCache, *, now: datetime) -> None:
    """The library said at ``now`` that it has no such project: kept for a while, and no longer refreshed."""
    same = ProjectCache.objects.filter(pk=project.pk, removed_at=None, fetched_at__lte=now)
    if same.update(removed_at=now, changed_at=now):
        project.removed_at = project.changed_at = now


def _is_news(before: dict[str, ProjectCache], project: Parsed, source: RemoteSource, asked_at: datetime) -> bool:
    row = before.get(project.remote_id)
    if row is None:
        return True
    if row.source_id != source.pk or row.fetched_at > asked_at:
        return False
    return row.removed_at is not None or row.content_hash != project.content_hash


def _by_id(project: Parsed) -> str:
    return project.remote_id


def _status_change(
    row: ProjectCache, project: Parsed, run: ProjectSyncHistory | None, now: datetime
) -> ProjectStatusChange:
    return ProjectStatusChange(
        run=run,
        project=row,
        remote_id=project.remote_id,
        title=project.title,
        type=project.type,
        old_status=row.status,
        new_status=project.status,
        at=now,
    )
