"""Writing many rows with a few set statements: they are laid into a temporary table, then updated and inserted from it.

Past the ORM, because a first load of 100,000 would take minutes with it. The same statements serve PostgreSQL (which
takes the rows by COPY) and SQLite. To be called in a transaction; the temporary tables end with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import F, Model, Q, QuerySet

from wecom.models import Origin

CHUNK = 500
LAID_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Target:
    """Rows of ``model`` that belong to one app and are told apart by ``key``."""

    model: type[Model]
    key: str
    """SQL of a row's key; ``{t}`` stands for the table."""
    columns: Mapping[str, str]
    """Column → what a new row gets where WeCom told nothing (SQL; ``s`` is the laid row)."""

    @property
    def table(self) -> str:
        return connection.ops.quote_name(self.model._meta.db_table)


class Laid:
    """A temporary table of rows on their way into ``target``: key, whether it is new, its columns, its hash."""

    def __init__(self, target: Target, name: str, rows: Iterable[Sequence[Any]]) -> None:
        self._target = target
        self.name = name
        columns = ", ".join(f"t.{quoted(column)}" for column in (*target.columns, "content_hash"))
        key = target.key.format(t="t")
        lay(name, f"SELECT {key} AS laid_key, t.id AS is_new, {columns} FROM {target.table} t", rows)  # noqa: S608

    def update(self, config_id: int, *, now: datetime, since: datetime) -> None:
        """Change the rows that are there and were not written ``since``. What WeCom did not tell (NULL) stays."""
        t, columns = self._target.table, self._target.columns
        changes = [f"{quoted(c)} = COALESCE(s.{quoted(c)}, {t}.{quoted(c)})" for c in columns]
        key = self._target.key.format(t=t)
        execute(
            f"UPDATE {t} SET {', '.join(changes)}, content_hash = s.content_hash, origin = %s, synced_at = %s, "  # noqa: S608
            f"deleted_at = NULL FROM {self.name} s WHERE s.is_new = 0 AND {t}.config_id = %s AND {key} = s.laid_key "
            f"AND ({t}.synced_at IS NULL OR {t}.synced_at < %s)",
            [Origin.WECOM.value, now, config_id, since],
        )

    def insert(self, config_id: int, *, now: datetime) -> None:
        """Add the new rows; one that somebody has added meanwhile is newer than what was read."""
        columns = self._target.columns
        names = ", ".join(map(quoted, columns))
        values = ", ".join(
            f"s.{quoted(c)}" if missing == "NULL" else f"COALESCE(s.{quoted(c)}, {missing})"
            for c, missing in columns.items()
        )
        execute(
            f"INSERT INTO {self._target.table} ({names}, content_hash, config_id, origin, synced_at) "  # noqa: S608
            f"SELECT {values}, s.content_hash, %s, %s, %s FROM {self.name} s WHERE s.is_new = 1 ON CONFLICT DO NOTHING",
            [config_id, Origin.WECOM.value, now],
        )


def lay(name: str, shape: str, rows: Iterable[Sequence[Any]]) -> None:
    """Fill a new temporary table called ``name``; ``shape``: a SELECT whose columns it gets."""
    execute(f"DROP TABLE IF EXISTS {name}")
    postgres, remaining = connection.vendor == "postgresql", iter(rows)
    if postgres:
        execute(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {shape} WITH NO DATA")
    else:
        execute(f"CREATE TEMPORARY TABLE {name} AS {shape} WHERE 0")
    with connection.cursor() as cursor:
        while chunk := list(islice(remaining, LAID_AT_ONCE)):  # complete first: its maker may query, a COPY may not
            if postgres:
                with cursor.copy(f"COPY {name} FROM STDIN") as copied:
                    for row in chunk:
                        copied.write_row(row)
            else:
                marks = ", ".join(["%s"] * len(chunk[0]))
                cursor.executemany(f"INSERT INTO {name} VALUES ({marks})", chunk)  # noqa: S608 - names of ours
    if postgres:
        execute(f"ANALYZE {name} (laid_key)")


def refresh_statistics(model: type[Model]) -> None:
    """After many rows have come: without knowing that nearly all of them belong to this app and this run, PostgreSQL
    would join row by row."""
    if connection.vendor == "postgresql":
        execute(f"ANALYZE {quoted(model._meta.db_table)} (config_id, synced_at)")  # counts the rows as well


def unlay(*names: str) -> None:
    """On PostgreSQL the commit does it; a kept SQLite connection would keep them."""
    for name in names:
        execute(f"DROP TABLE IF EXISTS {name}")


def mark_gone(rows: QuerySet[Any], key: str, keys: Sequence[Any], *, now: datetime, since: datetime) -> None:
    """Mark as gone those of the current ``rows`` whose ``key`` is among ``keys``, unless written ``since``."""
    rows = rows.filter(Q(synced_at=None) | Q(synced_at__lt=since), origin=Origin.WECOM, deleted_at=None)
    for start in range(0, len(keys), CHUNK):
        rows.filter(**{f"{key}__in": keys[start : start + CHUNK]}).update(deleted_at=now, synced_at=now)


def stored_hashes(rows: QuerySet[Any], key: str) -> Iterable[tuple[Any, str, bool]]:
    """Key, hash and whether it is current, of every row; for ``Standing``."""
    found = rows.annotate(key=F(key)).values_list("key", "content_hash", "origin", "deleted_at").order_by()
    for value, content_hash, origin, deleted_at in found.iterator(chunk_size=5000):
        yield value, content_hash, origin == Origin.WECOM and deleted_at is None


def execute(sql: str, parameters: Sequence[Any] = ()) -> None:
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(sql, [adapt(value) if isinstance(value, datetime) else value for value in parameters] or None)


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)
