"""``/health``: this process answers. ``/health/ready``: the whole system works, said within two seconds.

The parts are asked in parallel, each in a thread of its own, and the answer does not wait for a part that hangs: a
frozen Redis or database shows as "no answer" and 503. A part that is still hanging from an earlier probe is not asked
a second time, so probing cannot pile up threads.
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


@dataclass(slots=True)
class Result:
    ok: bool
    seconds: float
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"ok": self.ok, "ms": round(self.seconds * 1000, 1)}
        return {**answer, "error": self.error} if self.error else answer


class Probe:
    """Asks one part; at most one question is open at any time."""

    def __init__(self, name: str, ask: Callable[[], None]) -> None:
        self.name = name
        self._ask = ask
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._result: Result | None = None
        self._started = 0.0

    def start(self) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._result = None
            self._started = time.monotonic()
            self._thread = threading.Thread(target=self._run, name=f"probe-{self.name}", daemon=True)
            self._thread.start()

    def result(self, deadline: float) -> Result:
        """The answer, or "no answer" when there is none at ``deadline`` (monotonic seconds)."""
        thread = self._thread
        if thread is not None:
            thread.join(max(0.0, deadline - time.monotonic()))
        return self._result or Result(False, time.monotonic() - self._started, "no answer")

    def _run(self) -> None:
        started = time.monotonic()
        try:
            self._ask()
        except NotReady as error:
            self._result = Result(False, time.monotonic() - started, str(error))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the part, the page must say so
            # the class only: messages of drivers hold addresses and user names, and this page is public
            self._result = Result(False, time.monotonic() - started, type(error).__name__)
        else:
            self._result = Result(True, time.monotonic() - started)


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
    for probe in PROBES:
        probe.start()
    results = {probe.name: probe.result(deadline) for probe in PROBES}
    ok = all(result.ok for result in results.values())
    body = {"status": "ok" if ok else "not ready", "parts": {name: r.as_json() for name, r in results.items()}}
    return JsonResponse(body, status=200 if ok else 503)
