"""Confirming one copy because somebody looks at it: asked of the library once, whoever looks.

One mark per project in Redis is everything: whoever sets it asks, everybody else is answered with the copy, until the
mark ends by itself. So a project is asked for once in ``PAUSE`` seconds at most, by all processes together, whether
its copy is due or a reader insists, and whether the library answers or not.
"""

from __future__ import annotations

import time
from datetime import datetime

import structlog
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.asking import ask, is_resting, marks
from projects.errors import BadProject, RemoteAway, RemoteError
from projects.models import ProjectCache, RemoteSource
from projects.sources import enabled_sources
from projects.sync.apply import apply_one, note_gone

logger = structlog.get_logger(__name__)

BUDGET = 3.0
"""Seconds that somebody who looks waits for libraries, in all."""
PAUSE = 10
"""Seconds. A copy younger than that is not asked for again."""


class LibrariesAway(Exception):
    """Nobody knows the project, and not all libraries could be asked."""

    status_code = 502
    code = "remote_failed"

    def __init__(self, error: RemoteError) -> None:
        super().__init__(str(error))
        self.detail = error.sentence


def confirmed_at(copy: ProjectCache) -> datetime:
    """When the library was last known to have it as it is here. The copy comes with its source."""
    if copy.unconfirmed_since is not None:
        return copy.fetched_at
    return max(copy.fetched_at, copy.source.confirmed_at or copy.fetched_at)


def refresh(remote_id: str, *, than: datetime, insists: bool) -> ProjectCache | None:
    """The project's copy as its library has it now, or as somebody else has confirmed it after ``than``.

    ``insists``: the reader asked for it; else the copy is due. ``None`` when it cannot be had now: the copy that the
    caller knows is the best there is. Raises nothing but the database's own errors.
    """
    if not marks.set(f"asked:{remote_id}", PAUSE):
        return None
    copy = ProjectCache.objects.select_related("source").filter(remote_id=remote_id).first()
    if copy is None:
        return None
    if confirmed_at(copy) > than:
        return copy  # somebody was quicker between our look and our mark
    gives_nothing = copy.removed_at is not None or is_resting(copy.source)
    return None if not copy.source.enabled or (gives_nothing and not insists) else _confirmed(copy)


def _confirmed(copy: ProjectCache) -> ProjectCache | None:
    asked_at = timezone.now()
    try:
        fresh = _fetched(copy.source, copy.remote_id, BUDGET)
    except (RemoteError, BadProject) as error:
        logger.warning("project_not_refreshed", project=copy.remote_id, source=copy.source.slug, error=str(error))
        return None
    if fresh is None:
        note_gone(copy, now=asked_at)
    return fresh


def _fetched(source: RemoteSource, remote_id: str, seconds: float) -> ProjectCache | None:
    """The project as the library has it, kept as a copy; ``None`` when it has none. Raises RemoteError, BadProject."""
    asked_at = timezone.now()
    item = ask(source, remote_id, seconds=seconds)
    if item is None:
        return None
    copy = apply_one(source, item, now=asked_at)
    copy.source = source
    return copy


def find(remote_id: str) -> ProjectCache | None:
    """A project that the mirror does not have yet, looked up in the libraries; ``None`` when all say they have none.

    Raises LibrariesAway.
    """
    end = time.monotonic() + BUDGET
    failure: RemoteError | None = None
    for source in enabled_sources():
        try:
            copy = _looked_up(source, remote_id, end - time.monotonic())
        except RemoteError as error:
            failure = error
            continue
        if copy is not None:
            return copy
    if failure is not None:
        raise LibrariesAway(failure)
    return None


def _looked_up(source: RemoteSource, remote_id: str, seconds: float) -> ProjectCache | None:
    if seconds <= 0 or is_resting(source):
        raise RemoteAway(_("The library did not answer a moment ago; try again in a few seconds."))
    try:
        return _fetched(source, remote_id, seconds)
    except BadProject as error:
        logger.warning("project_not_usable", project=remote_id, source=source.slug, error=str(error))
        return None
