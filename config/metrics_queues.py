"""How long the durable queues are, how late they are, and whether worker and beat are alive.

The queues' tables keep what is done, millions of rows; only what is open or dead is looked at, each by a partial index
of its own (``DurableRow.Meta``), and at most ``COUNTED`` rows of it. The conditions stand in the text of the statement
because SQLite uses a partial index only where it can read them; they are this module's constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from prometheus_client.metrics_core import Metric

from config import heartbeat
from config.durable import OPEN, DurableRow, Status, queues
from config.metrics import gauge, register_source

COUNTED = 20_000
"""Rows of a queue that are counted; a longer one says so many. How late it is tells more by then."""
SHOWN = (*OPEN, Status.DEAD)

_LOOK = f"""
SELECT status, COUNT(*), MIN(next_attempt_at) FROM (
    SELECT status, next_attempt_at FROM {{table}}
    WHERE status IN ({", ".join(f"'{status.value}'" for status in OPEN)}) ORDER BY next_attempt_at LIMIT {COUNTED}
) open_rows GROUP BY status
UNION ALL
SELECT '{Status.DEAD.value}', COUNT(*), NULL FROM (
    SELECT 1 FROM {{table}} WHERE status = '{Status.DEAD.value}' ORDER BY finished_at LIMIT {COUNTED}
) dead_rows
"""  # noqa: S608 - constants only


def read_queues() -> Iterable[Metric]:
    """One statement per queue."""
    rows, late = [], []
    for model in queues():
        name, now = model._meta.label_lower, timezone.now()
        found = list(_look(model))
        counts = {status: count for status, count, _first in found}
        firsts = [first for _status, _count, first in found if first]
        rows += [((name, status.value), counts.get(status.value, 0)) for status in SHOWN]
        late.append(((name,), max(0.0, *((now - first).total_seconds() for first in firsts), 0.0)))
    yield gauge(
        "queue_rows", f"Rows of a durable queue by status, open or dead; at most {COUNTED}.", rows, ["queue", "status"]
    )
    yield gauge("queue_late_seconds", "Since when the oldest due row of a durable queue waits.", late, ["queue"])


def _look(model: type[DurableRow]) -> Iterator[tuple[str, int, datetime | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_LOOK.format(table=connection.ops.quote_name(model._meta.db_table)))
        for status, count, first in cursor.fetchall():
            yield status, count, _aware(first)


def _aware(told: datetime | str | None) -> datetime | None:
    """SQLite keeps times as text in UTC."""
    if isinstance(told, str):
        parsed = parse_datetime(told)
        return parsed.replace(tzinfo=UTC) if parsed else None
    return told


def read_heartbeats() -> Iterable[Metric]:
    """Worker and beat. Raises redis.RedisError."""
    heard = {part: heartbeat.heard_at(part) for part in heartbeat.PARTS}
    yield gauge(
        "part_up",
        f"1: heard of within {heartbeat.LIFETIME} seconds.",
        [((part,), at is not None) for part, at in heard.items()],
        ["part"],
    )
    yield gauge(
        "part_heard_timestamp_seconds",
        "When a worker, or beat, last gave a sign of life (Unix time).",
        [((part,), at) for part, at in heard.items() if at is not None],
        ["part"],
    )


register_source("config.queues", read_queues, lane="database")
register_source("config.heartbeats", read_heartbeats, lane="redis")
