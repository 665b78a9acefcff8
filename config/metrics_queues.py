"""How long the durable queues are, how late they are, and whether worker and beat are alive.

The queues' tables keep what is done, millions of rows; only what is open or dead is looked at, each by a partial index
of its own (``DurableRow.Meta``), and at most ``COUNTED`` rows of it. The conditions stand in the text of the statement
because SQLite uses a partial index only where it can read them; they are this module's constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

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
SELECT found.status, found.counted, found.due, first.created_at FROM (
    SELECT status, COUNT(*) AS counted, MIN(next_attempt_at) AS due, MIN(id) AS first_id FROM (
        SELECT status, next_attempt_at, id FROM {{table}}
        WHERE status IN ({", ".join(f"'{status.value}'" for status in OPEN)}) ORDER BY next_attempt_at LIMIT {COUNTED}
    ) open_rows GROUP BY status
) found JOIN {{table}} first ON first.id = found.first_id
UNION ALL
SELECT '{Status.DEAD.value}', COUNT(*), NULL, NULL FROM (
    SELECT 1 FROM {{table}} WHERE status = '{Status.DEAD.value}' ORDER BY finished_at LIMIT {COUNTED}
) dead_rows
"""  # noqa: S608 - constants only


class _Found(NamedTuple):
    """The rows of one status."""

    status: str
    rows: int
    due: datetime | None
    """When the first of them is or was due."""
    since: datetime | None
    """When the first of them came."""


def read_queues() -> Iterable[Metric]:
    """One statement per queue. The first to come is the one with the lowest ID, which the index knows."""
    rows, late, oldest = [], [], []
    for model in queues():
        name, now = model._meta.label_lower, timezone.now()
        found = list(_look(model))
        counts = {one.status: one.rows for one in found}
        rows += [((name, status.value), counts.get(status.value, 0)) for status in SHOWN]
        late.append(((name,), _seconds_since((one.due for one in found), now)))
        oldest.append(((name,), _seconds_since((one.since for one in found), now)))
    yield gauge(
        "queue_rows", f"Rows of a durable queue by status, open or dead; at most {COUNTED}.", rows, ["queue", "status"]
    )
    yield gauge("queue_late_seconds", "Since when the oldest due row of a durable queue waits.", late, ["queue"])
    yield gauge(
        "queue_oldest_seconds",
        "How long ago the oldest open row of a durable queue came, whether it is due or waits for its next attempt.",
        oldest,
        ["queue"],
    )


def _look(model: type[DurableRow]) -> Iterator[_Found]:
    with connection.cursor() as cursor:
        cursor.execute(_LOOK.format(table=connection.ops.quote_name(model._meta.db_table)))
        for status, count, due, since in cursor.fetchall():
            yield _Found(status, count, _aware(due), _aware(since))


def _seconds_since(moments: Iterable[datetime | None], now: datetime) -> float:
    """Since the first of ``moments``; 0 while there is none, or while it is yet to come."""
    return max(0.0, *((now - moment).total_seconds() for moment in moments if moment), 0.0)


def _aware(told: datetime | str | None) -> datetime | None:
    """SQLite keeps times as text in UTC; its driver makes a time of what comes straight from a column."""
    moment = parse_datetime(told) if isinstance(told, str) else told
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


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
