"""``/metrics`` over a million inbox rows, and ``/health/ready`` while Redis is frozen."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import quantiles

import requests
from django.db import connection

from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.testing.processes import Stack, Valkey, Web

BAR = 100
"""Milliseconds."""
READY_BAR = 2.0
"""Seconds."""
READINGS = 200
DEAD = 500
OPEN = 10_000
_NUMBERS = {
    "postgresql": "generate_series(1, %s) AS numbers(i)",
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) SELECT i FROM n) numbers",
}
_FILL = f"""
INSERT INTO wecom_callbackevent (key, status, attempts, crashes, next_attempt_at, last_error, created_at, updated_at,
    finished_at, config_id, event, change_type, subject, from_user, event_time, payload, credential, outcome)
SELECT 'bench:' || i,
    CASE WHEN i <= {DEAD} THEN 'dead' WHEN i <= {OPEN} THEN 'pending' WHEN i <= {2 * OPEN} THEN 'failed'
         ELSE 'succeeded' END,
    1, 0, CURRENT_TIMESTAMP, '', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP,
    (SELECT MIN(id) FROM wecom_wecomconfig), 'sys_approval_change', '', '2026' || i, 'sys', CURRENT_TIMESTAMP, %s,
    'primary', 'applied'
FROM {{numbers}}
"""  # noqa: S608 - constants only
PAYLOAD = "<xml>" + "x" * 700 + "</xml>"


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    for vendor in ("sqlite", "postgres"):
        database_url = f"sqlite:///{stage.folder / 'metrics.sqlite3'}" if vendor == "sqlite" else ""
        with stage.stack(f"metrics-{vendor}", database_url=database_url) as stack:
            yield from _page(stack, plan.inbox_rows, vendor)
    yield _ready(stage)


def _page(stack: Stack, rows: int, vendor: str) -> Iterator[Line]:
    _manage(stack, "migrate", "--verbosity", "0")
    _here(stack, "empty()")
    web = stack.web()
    nothing = _p95(web)
    for what, fill in (("rows", f"fill({rows})"), ("rows, all of them due", "open_all()")):
        _here(stack, fill)
        measured = _p95(web)
        say(f"metrics {vendor}: {rows} {what}: p95 {measured:.1f} ms, empty {nothing:.1f} ms")
        yield Line(
            f"/metrics {vendor}: p95 with {rows} inbox {what}",
            f"{nothing:.1f} ms empty",
            f"{measured:.1f} ms",
            measured,
            "at most",
            BAR,
            "ms",
        )
    _here(stack, "empty()")


def _p95(web: Web) -> float:
    """Milliseconds."""
    times = []
    with requests.Session() as session:
        for _ in range(READINGS):
            started = time.perf_counter()
            answer = session.get(f"{web.url}/metrics", timeout=30)
            times.append((time.perf_counter() - started) * 1000)
            if answer.status_code != 200 or 'source_up{source="config.queues"} 1.0' not in answer.text:
                raise RuntimeError(f"/metrics answered {answer.status_code} without the queues: {answer.text[:500]}")
    return quantiles(times, n=20)[-1]


def _ready(stage: Stage) -> Line:
    valkey = Valkey(stage.folder / "frozen").start()
    try:
        with stage.stack("metrics-frozen") as stack:
            stack.environment["REDIS_URL"] = valkey.url
            web = stack.web()
            valkey.freeze()
            slowest = max(_seconds_until_not_ready(web) for _ in range(5))
    finally:
        valkey.thaw()
        valkey.kill()
    return Line(
        "/health/ready with a frozen Redis", "–", f"{slowest:.2f} s slowest", slowest, "at most", READY_BAR, "s"
    )


def _seconds_until_not_ready(web: Web) -> float:
    started = time.perf_counter()
    answer = requests.get(f"{web.url}/health/ready", timeout=30)
    seconds = time.perf_counter() - started
    if answer.status_code != 503 or answer.json()["parts"]["redis"]["ok"]:
        raise RuntimeError(f"it did not notice: {answer.text}")
    return seconds


def _manage(stack: Stack, *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], env=stack.environment, check=True)


def _here(stack: Stack, call: str) -> None:
    """Call a function of this module on the stack's database."""
    _manage(stack, "shell", "--no-imports", "-c", f"from config.bench.metrics import *; {call}")


def empty() -> None:
    """No event, and the app of the settings."""
    from wecom.configs import default_config

    default_config()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM wecom_callbackevent")
    _settle()


def fill(rows: int) -> None:
    """``rows`` events, nearly all of them done."""
    with connection.cursor() as cursor:
        cursor.execute(_FILL.format(numbers=_NUMBERS[connection.vendor]), [PAYLOAD, rows])
    _settle()


def open_all() -> None:
    """What a long outage of the workers leaves behind."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wecom_callbackevent SET status = 'pending'")
    _settle()


def _settle() -> None:
    """What autovacuum would do in its time."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE wecom_callbackevent" if connection.vendor == "postgresql" else "ANALYZE")
