"""One question to a library while somebody waits for the answer: never longer than they should, never by too many."""

from __future__ import annotations

import threading
import time

import structlog
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from redis import RedisError

from projects.errors import RemoteAway, RemoteError
from projects.models import RemoteSource
from projects.remote import RemoteLibrary

logger = structlog.get_logger(__name__)

LIBRARY_REST = 10
"""Seconds during which a library that has just failed is asked only for readers who insist: whoever opens a link while
it is down has the copy at once."""
MOST_WAITING = 3
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


marks = Marks()
_waiting = threading.BoundedSemaphore(MOST_WAITING)
_open_questions: dict[int, threading.BoundedSemaphore] = {}


def is_resting(source: RemoteSource) -> bool:
    """Whether it failed a moment ago."""
    return marks.is_set(_resting(source))


def ask(source: RemoteSource, remote_id: str, *, seconds: float) -> object | None:
    """What the library says of a project within ``seconds``; ``None`` when it has none. Raises RemoteError."""
    if not _waiting.acquire(blocking=False):
        raise RemoteAway(_("Too many people wait for libraries just now."))
    try:
        question = _Question(source, remote_id, seconds)
        question.start()
        return question.answer()
    except RemoteError:
        marks.set(_resting(source), LIBRARY_REST)
        raise
    finally:
        _waiting.release()


def _resting(source: RemoteSource) -> str:
    return f"resting:{source.pk}"


class _Question(threading.Thread):
    """In a thread of its own: a socket's time-out is about single reads, and a library that sends a byte of its headers
    now and then meets none. Who waits goes in time; the thread ends when the library does, and until then it is one of
    the few that this library may hold.
    """

    def __init__(self, source: RemoteSource, remote_id: str, seconds: float) -> None:
        super().__init__(name="project-library", daemon=True)
        self._library, self._remote_id, self._seconds = RemoteLibrary(source), remote_id, seconds
        self._open = _open_questions.setdefault(source.pk, threading.BoundedSemaphore(MOST_WAITING))
        self._item: object | None = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Raises RemoteAway."""
        if not self._open.acquire(blocking=False):
            raise RemoteAway(_("The library has not answered earlier questions yet."))
        super().start()

    def run(self) -> None:
        try:
            self._item = self._library.project(self._remote_id, seconds=self._seconds)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self._error = error
        finally:
            self._open.release()

    def answer(self) -> object | None:
        """Raises RemoteError."""
        self.join(self._seconds)
        if self.is_alive():
            raise RemoteAway(_("The library's answer took too long."))
        if self._error is not None:
            raise self._error
        return self._item
