"""Writing what has changed: the copies, their status changes, and the notifications about them, all or nothing.

A run writes page by page through ``apply_changed``; whoever refreshes a single project does so through
``apply_one``. Both lock the rows they are about to write, so that of two writers each status change is told by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from projects.errors import BadProject
from projects.models import ProjectCache, ProjectStatusChange, ProjectSyncHistory, RemoteSource, TimeDisplayConfig
from projects.parsing import Fetched, Parsed, parse
from projects.sync.writing import upsert
from projects.telling import Change, tell_changes


def apply_changed(
    source: RemoteSource,
    new: Sequence[Fetched],
    changed: Sequence[Fetched],
    *,
    display: TimeDisplayConfig,
    run: ProjectSyncHistory | None = None,
) -> int:
    """Write projects, none of them twice; to be called in a transaction. A constant number of queries.

    ``new`` have no copy, ``changed`` have one that differs. Of these, what somebody else has written since, or in the
    same words, is left alone; returns how many that were.
    """
    before = _locked(changed)
    fresh = [one for one in changed if _is_news(before.get(one.project.remote_id), one, source)]
    now = timezone.now()
    # in one order, so that two writers of the same new rows wait for each other instead of blocking both
    rows = sorted([*new, *fresh], key=attrgetter("project.remote_id"))
    upsert(source, rows, now=now, display=display)
    changes = [
        Change(_status_change(row, project, run, now), project)
        for project, _asked_at in fresh
        if (row := before.get(project.remote_id)) and row.status != project.status
    ]
    if changes:
        ProjectStatusChange.objects.bulk_create(change.row for change in changes)
        tell_changes(changes)
    return len(changed) - len(fresh)


def _locked(fetched: Sequence[Fetched]) -> dict[str, ProjectCache]:
    if not fetched:
        return {}
    remote_ids = [project.remote_id for project, _asked_at in fetched]
    rows = ProjectCache.objects.select_for_update().filter(remote_id__in=remote_ids)
    columns = ("remote_id", "source", "status", "content_hash", "fetched_at", "removed_at")
    return {row.remote_id: row for row in rows.order_by("remote_id").only(*columns)}


def apply_one(source: RemoteSource, item: Any, *, now: datetime) -> ProjectCache:
    """Write one project that ``source`` gave when asked at ``now``; returns its copy, which is confirmed by it.

    Raises BadProject, and leaves the copy as it is, when the item cannot be used.
    """
    parsed = parse(source, item)
    with transaction.atomic():
        apply_changed(source, [], [Fetched(parsed, now)], display=TimeDisplayConfig.load())
        copies = ProjectCache.objects.filter(remote_id=parsed.remote_id, source=source)
        # nothing has changed: only its age
        copies.filter(fetched_at__lt=now).update(fetched_at=now, unconfirmed_since=None)
        copy = copies.first()
    if copy is None:
        raise BadProject(_("Another source has a project of the same ID."))
    return copy


def note_gone(project: ProjectCache, *, now: datetime) -> None:
    """The library said at ``now`` that it has no such project: kept for a while, and no longer refreshed."""
    same = ProjectCache.objects.filter(pk=project.pk, removed_at=None, fetched_at__lte=now)
    if same.update(removed_at=now, changed_at=now):
        project.removed_at = project.changed_at = now


def _is_news(row: ProjectCache | None, fetched: Fetched, source: RemoteSource) -> bool:
    if row is None:
        return True
    if row.source_id != source.pk or row.fetched_at > fetched.asked_at:
        return False
    return row.removed_at is not None or row.content_hash != fetched.project.content_hash


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
