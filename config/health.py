"""``/health``: this process answers. ``/health/ready``: the whole system works, said within two seconds.

The parts are asked in parallel, each in a thread of its own, and the answer does not wait for a part that hangs: a
frozen Redis or database shows as "no answer" and 503. A part that is still hanging from an earlier probe is not asked
a second time, and an answer serves for a second, so probing can pile up neither threads nor questions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import heartbeat

PATIENCE = 1.5
"""Seconds for all parts together; leaves half a second of the promised two for everything else."""

FRESH_FOR = 1.0
"""Seconds for which an answer serves later requests too: whoever hammers this open page asks nobody more often."""


class NotReady(Exception):
    """A part answered that it does not work; the message is for the operator."""


def _database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    finally:
        connection.close()  # this thread's own connection


def _redis() -> None:
    heartbeat.redis().ping()


def _worker() -> None:
    if not heartbeat.is_alive("worker"):
        raise NotReady("no worker heard of lately")


def _beat() -> None:
    if not heartbeat.is_alive("beat"):
        raise NotReady("no beat heard of lately")


@dataclass(frozen=True, slots=True)
class Result:
    ok: bool
    seconds: float
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"ok": self.ok, "ms": round(self.seconds * 1000, 1)}
        return {**answer, "error": self.error} if self.error else answer


class Run:
    """One question to one part, in its own thread. Whoever holds it reads this question's answer and no other."""

    def __init__(self, name: str, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._answer: Result | None = None
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"probe-{name}", daemon=True)
        self._thread.start()

    def still_good(self) -> bool:
        """Whether nobody needs to ask again: it hangs, or answered less than ``FRESH_FOR`` after it was asked."""
        return self._thread.is_alive() or time.monotonic() - self._started < FRESH_FOR

    def result(self, deadline: float) -> Result:
        """The answer, or "no answer" when there is none at ``deadline`` (monotonic seconds)."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return self._answer or Result(False, time.monotonic() - self._started, "no answer")

    def _run(self) -> None:
        error = ""
        try:
            self._ask()
        except NotReady as reason:
            error = str(reason)
        except Exception as trouble:  # noqa: BLE001 - whatever is wrong with the part, the page must say so
            # the class only: messages of drivers hold addresses and user names, and this page is public
            error = type(trouble).__name__
        self._answer = Result(not error, time.monotonic() - self._started, error)


class Probe:
    """Asks one part; at most one question is open at any time, and parallel requests share its answer."""

    def __init__(self, name: str, ask: Callable[[], None]) -> None:
        self.name = name
        self._ask = ask
        self._lock = threading.Lock()
        self._last: Run | None = None

    def run(self) -> Run:
        with self._lock:
            if self._last is None or not self._last.still_good():
                self._last = Run(self.name, self._ask)
            return self._last


PROBES = [Probe("database", _database), Probe("redis", _redis), Probe("worker", _worker), Probe("beat", _beat)]


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 when every part works, else 503; each part with its own verdict and milliseconds."""
    deadline = time.monotonic() + PATIENCE
    runs = {probe.name: probe.run() for probe in PROBES}
    results = {name: run.result(deadline) for name, run in runs.items()}
    ok = all(result.ok for result in results.values())
    body = {"status": "ok" if ok else "not ready", "parts": {name: r.as_json() for name, r in results.items()}}
    return JsonResponse(body, status=200 if ok else 503)
