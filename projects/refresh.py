"""Confirming one copy because somebody looks at it: asked of the library once, whoever looks, and never for long.

One mark per project in Redis is everything: whoever sets it asks, everybody else is answered with the copy, until the
mark ends by itself. So a project is asked for once in ``PAUSE`` seconds at most, by all processes together, whether
its copy is due or a reader insists, and whether the library answers or not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from redis import RedisError

from projects.errors import BadProject, RemoteAway, RemoteError
from projects.models import ProjectCache, RemoteSource
from projects.remote import RemoteLibrary
from projects.sources import enabled_sources
from projects.sync.apply import apply_one, note_gone

logger = structlog.get_logger(__name__)

BUDGET = 3.0
"""Seconds that somebody who looks waits for the library, in all."""
PAUSE = 10
"""Seconds. A copy younger than that is not asked for again."""
LIBRARY_REST = 10
"""Seconds during which a library that has just failed is asked only for readers who insist: whoever opens a link while
it is down has the copy at once."""
MOST_AT_ONCE = 3
"""Threads of this process that may wait for libraries: the others keep answering from the mirror."""
REDIS_REST = 5.0
"""Seconds without another attempt after Redis failed."""


class Marks:
    """Short-lived marks that all processes see; while Redis is away, those of this process."""

    def __init__(self) -> None:
        self._own: dict[str, float] = {}
        self._resting_until = 0.0
        self._lock = threading.Lock()

    def set(self, name: str, seconds: int) -> bool:
        """True if it was not set; then it is now, and for so long."""
        if time.monotonic() >= self._resting_until:
            try:
                return bool(cache.add(f"projects:{name}", 1, timeout=seconds))
            except RedisError as error:
                self._rest(error)
        with self._lock:
            now = time.monotonic()
            self._own = {mark: end for mark, end in self._own.items() if end > now}
            if name in self._own:
                return False
            self._own[name] = now + seconds
            return True

    def is_set(self, name: str) -> bool:
        if time.monotonic() >= self._resting_until:
            try:
                return cache.get(f"projects:{name}") is not None
            except RedisError as error:
                self._rest(error)
        return self._own.get(name, 0.0) > time.monotonic()

    def _rest(self, error: RedisError) -> None:
        self._resting_until = time.monotonic() + REDIS_REST
        logger.warning("refresh_marks_local", error=type(error).__name__, seconds=REDIS_REST)


class LibrariesAway(Exception):
    """Nobody knows the project, and not all libraries could be asked."""

    status_code = 502
    code = "remote_failed"

    def __init__(self, error: RemoteError) -> None:
        super().__init__(str(error))
        self.detail = error.sentence


_marks = Marks()
_slots = threading.BoundedSemaphore(MOST_AT_ONCE)


def refresh(remote_id: str, *, than: datetime, insists: bool) -> ProjectCache | None:
    """The project's copy as its library has it now, or as somebody else has confirmed it after ``than``.

    ``insists``: the reader asked for it; else the copy is due. ``None`` when it cannot be had now: the copy that the
    caller knows is the best there is. Raises nothing but the database's own errors.
    """
    with _slot() as free:
        if not free or not _marks.set(f"asked:{remote_id}", PAUSE):
            return None
        copy = ProjectCache.objects.select_related("source").filter(remote_id=remote_id).first()
        if copy is None:
            return None
        if confirmed_at(copy) > than:
            return copy  # somebody was quicker between our look and our mark
        if not copy.source.enabled or (not insists and _is_resting(copy)):
            return None
        return _confirmed(copy)


def confirmed_at(copy: ProjectCache) -> datetime:
    """When the library was last known to have it as it is here. The copy comes with its source."""
    return max(copy.fetched_at, copy.source.confirmed_at or copy.fetched_at)


def _is_resting(copy: ProjectCache) -> bool:
    return copy.removed_at is not None or _marks.is_set(f"away:{copy.source_id}")


def _confirmed(copy: ProjectCache) -> ProjectCache | None:
    asked_at = timezone.now()
    try:
        item = _ask(copy.source, copy.remote_id, BUDGET)
        if item is None:
            note_gone(copy, now=asked_at)
            return None
        fresh = apply_one(copy.source, item, now=asked_at)
    except (RemoteError, BadProject) as error:
        logger.warning("project_not_refreshed", project=copy.remote_id, source=copy.source.slug, error=str(error))
        return None
    fresh.source = copy.source
    return fresh


def _ask(source: RemoteSource, remote_id: str, seconds: float) -> object | None:
    """What the library says of a project; ``None`` when it has none. Raises RemoteError, and remembers it."""
    try:
        return RemoteLibrary(source).project(remote_id, seconds=seconds)
    except RemoteError:
        _marks.set(f"away:{source.pk}", LIBRARY_REST)
        raise


def find(remote_id: str) -> ProjectCache | None:
    """A project that the mirror does not have yet, looked up in the libraries; ``None`` when all say they have none.

    Raises LibrariesAway.
    """
    end = time.monotonic() + BUDGET
    failure: RemoteError | None = None
    for source in enabled_sources():
        try:
            copy = _found(source, remote_id, end - time.monotonic())
        except RemoteError as error:
            failure = error
            continue
        if copy is not None:
            return copy
    if failure is not None:
        raise LibrariesAway(failure)
    return None


def _found(source: RemoteSource, remote_id: str, seconds: float) -> ProjectCache | None:
    """The project if this library has it, kept as a copy. Raises RemoteError."""
    asked_at = timezone.now()
    with _slot() as free:
        if not free or seconds <= 0 or _marks.is_set(f"away:{source.pk}"):
            raise RemoteAway(_("The library cannot be asked just now."), remedy=_("Try again in a few seconds."))
        item = _ask(source, remote_id, seconds)
    if item is None:
        return None
    try:
        copy = apply_one(source, item, now=asked_at)
    except BadProject as error:
        logger.warning("project_not_usable", project=remote_id, source=source.slug, error=str(error))
        return None
    copy.source = source
    return copy


@contextmanager
def _slot() -> Iterator[bool]:
    free = _slots.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _slots.release()
