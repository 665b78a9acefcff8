"""``/health``: this process answers. ``/health/ready``: the whole system works, said within two seconds.

The parts are asked in parallel (``config.probes``), and the answer does not wait for a part that hangs: a frozen Redis
or database shows as "no answer" and 503.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import heartbeat
from config.probes import PATIENCE, NotReady, Probe, Result


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")


def _redis() -> None:
    heartbeat.redis().ping()


def _worker() -> None:
    if not heartbeat.is_alive("worker"):
        raise NotReady("no worker heard of lately")


def _beat() -> None:
    if not heartbeat.is_alive("beat"):
        raise NotReady("no beat heard of lately")


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
    body = {"status": "ok" if ok else "not ready", "parts": {name: _as_json(r) for name, r in results.items()}}
    return JsonResponse(body, status=200 if ok else 503)


def _as_json(result: Result[None]) -> dict[str, Any]:
    answer: dict[str, Any] = {"ok": result.ok, "ms": round(result.seconds * 1000, 1)}
    return {**answer, "error": result.error} if result.error else answer
