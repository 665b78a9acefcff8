"""Asking a part of the system that may hang, without hanging oneself.

Each question has a thread of its own, and whoever asks waits until a deadline and no longer. A part that is still
hanging from an earlier question is not asked a second time, so asking again and again piles up no threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import connections

Value = TypeVar("Value")

PATIENCE = 1.5
"""Seconds for all parts together; leaves half a second of the two that readiness promises for everything else."""
FRESH_FOR = 1.0
"""Seconds for which an answer serves later requests too: whoever hammers an open page asks nobody more often."""


class NotReady(Exception):
    """A part answered that it does not work; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Result(Generic[Value]):
    """What a part said: ``value`` when it is ``ok``, else ``error`` (never an address or a name of somebody)."""

    ok: bool
    seconds: float
    error: str = ""
    value: Value | None = None


class Run(Generic[Value]):
    """One question to one part, in its own thread. Whoever holds it reads this question's answer and no other."""

    def __init__(self, name: str, ask: Callable[[], Value], fresh_for: float) -> None:
        self._ask, self._fresh_for = ask, fresh_for
        self._answer: Result[Value] | None = None
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"probe-{name}", daemon=True)
        self._thread.start()

    def still_good(self) -> bool:
        """Whether nobody needs to ask again: it hangs, or answered less than ``fresh_for`` after it was asked."""
        return self._thread.is_alive() or time.monotonic() - self._started < self._fresh_for

    def result(self, deadline: float) -> Result[Value]:
        """The answer, or "no answer" when there is none at ``deadline`` (monotonic seconds)."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return self._answer or Result(False, time.monotonic() - self._started, "no answer")

    def _run(self) -> None:
        error, value = "", None
        try:
            value = self._ask()
        except NotReady as reason:
            error = str(reason)
        except Exception as trouble:  # noqa: BLE001 - whatever is wrong with the part, the page must say so
            # the class only: messages of drivers hold addresses and user names, and this is shown to strangers
            error = type(trouble).__name__
        finally:
            connections.close_all()  # this thread's own
        self._answer = Result(not error, time.monotonic() - self._started, error, value)


class Probe(Generic[Value]):
    """Asks one part; at most one question is open at any time, and parallel requests share its answer."""

    def __init__(self, name: str, ask: Callable[[], Value], *, fresh_for: float = FRESH_FOR) -> None:
        self.name, self._ask, self._fresh_for = name, ask, fresh_for
        self._lock = threading.Lock()
        self._last: Run[Value] | None = None

    def run(self) -> Run[Value]:
        with self._lock:
            if self._last is None or not self._last.still_good():
                self._last = Run(self.name, self._ask, self._fresh_for)
            return self._last
