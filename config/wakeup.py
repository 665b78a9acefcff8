"""Waking workers without making anybody wait.

The row in the database is the queue; the Celery message only says "look now". So it may be late, merged with others
or lost (the sweeper looks anyway), but it must never slow down or fail the request that caused it. One daemon thread
per process sends the messages: a request only sets a flag, also when Redis hangs.
"""

from __future__ import annotations

import atexit
import heapq
import itertools
import os
import threading
import time
from contextvars import Context, copy_context
from typing import NamedTuple

import structlog
from celery import Celery, current_app

logger = structlog.get_logger(__name__)

MERGE_WINDOW = 0.1
"""Seconds in which further wake-ups of the same task add nothing: the task drains everything that is due."""
BROKER_REST = 5.0
"""Seconds without another attempt after the broker failed."""
FLUSH_AT_EXIT = 2.0
"""Seconds that a short-lived process (a command) waits at its end for its wake-ups to leave."""


class Wanted(NamedTuple):
    """One wake-up that waits; ordered by its time, then by when it was asked for."""

    at: float
    """Monotonic seconds."""
    number: int
    task: str
    context: Context
    """Of whoever asked first: the request's id goes along into the task's log lines."""


class Waker:
    """Sends wake-ups from a thread of its own; one instance per process, made again after a fork."""

    def __init__(self, app: Celery | None = None) -> None:
        self._app = app or current_app
        self.pid = os.getpid()
        self._changed = threading.Condition()
        self._due: list[Wanted] = []  # a heap
        self._count = itertools.count()
        self._sent: dict[str, float] = {}
        self._resting_until = 0.0
        self._sending = False
        self._thread: threading.Thread | None = None

    def wake(self, task: str, delay: float = 0.0) -> None:
        now = time.monotonic()
        at = max(now + delay, self._sent.get(task, 0.0) + MERGE_WINDOW)
        with self._changed:
            # one that is queued for then or before, overdue ones included, serves this too: a handful ever waits
            if any(wanted.task == task and wanted.at <= at for wanted in self._due):
                return
            heapq.heappush(self._due, Wanted(at, next(self._count), task, copy_context()))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
                atexit.register(self.flush)
            self._changed.notify_all()

    def flush(self, timeout: float = FLUSH_AT_EXIT) -> bool:
        """Wait until everything that is due now has been sent. False if the time ran out."""
        if os.getpid() != self.pid:
            return True
        with self._changed:
            return self._changed.wait_for(lambda: not self._has_due() and not self._sending, timeout)

    def _has_due(self) -> bool:
        return bool(self._due) and self._due[0].at <= time.monotonic() + MERGE_WINDOW

    def _run(self) -> None:
        while True:
            self._send(self._next())

    def _next(self) -> Wanted:
        with self._changed:
            while not self._due or self._due[0].at > time.monotonic():
                self._changed.wait(self._due[0].at - time.monotonic() if self._due else None)
            self._sending = True
            return heapq.heappop(self._due)

    def _send(self, wanted: Wanted) -> None:
        now = time.monotonic()
        try:
            if now >= self._resting_until:
                self._sent[wanted.task] = now
                wanted.context.run(self._app.send_task, wanted.task)
        except Exception as error:  # noqa: BLE001 - a lost wake-up is what the sweeper is for
            self._resting_until = time.monotonic() + BROKER_REST
            logger.warning("wake_up_lost", task=wanted.task, error=type(error).__name__)
        finally:
            with self._changed:
                self._sending = False
                self._changed.notify_all()


_waker = Waker()


def wake(task: str) -> None:
    """Ask for ``task`` (a Celery task name) to run soon. Returns at once, whatever the broker does."""
    _own_waker().wake(task)


def wake_later(task: str, seconds: float) -> None:
    """As wake(), but in ``seconds``. Lost with the process; the sweeper is the guarantee."""
    _own_waker().wake(task, seconds)


def flush(timeout: float = FLUSH_AT_EXIT) -> bool:
    """Wait at most ``timeout`` seconds for the wake-ups of this process to leave; True if they did."""
    return _own_waker().flush(timeout)


def _own_waker() -> Waker:
    global _waker
    if _waker.pid != os.getpid():  # threads do not survive a fork
        _waker = Waker()
    return _waker
