"""The one statement that writes copies: an upsert of many rows, past the ORM.

Saving a model costs ten times the work of everything else that is done for a project. The newest wins: a row that was
fetched later stays, and a row of another source is never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from django.db import connection

from projects import json_text
from projects.document import write_document
from projects.models import ProjectCache, RemoteSource, TimeDisplayConfig
from projects.parsing import Fetched, Parsed

VARYING = {
    "remote_id": "text",
    "type": "text",
    "title": "text",
    "status": "text",
    "customer_name": "text",
    "phone": "text",
    "remote_updated_at": "timestamptz",
    "stakeholders": "jsonb",
    "extra": "jsonb",
    "document": "text",
    "content_hash": "text",
    "fetched_at": "timestamptz",
}
"""Columns that differ from row to row, with their types on PostgreSQL."""
COMMON = {
    "source_id": "bigint",
    "document_version": "integer",
    "changed_at": "timestamptz",
    "created_at": "timestamptz",
}
"""Columns that are the same in all rows of one statement. ``CLEARED`` become NULL."""
CLEARED = ("removed_at", "unconfirmed_since")
KEPT = ("remote_id", "created_at")
"""Columns that an existing row keeps."""
ROWS_AT_ONCE = 80
"""Rows of one statement on SQLite: with their columns fewer than the 999 parameters that every SQLite takes."""


def upsert(source: RemoteSource, fetched: Sequence[Fetched], *, now: datetime, display: TimeDisplayConfig) -> None:
    """Write projects (none twice) as copies of ``source``."""
    if not fetched:
        return
    moment = connection.ops.adapt_datetimefield_value
    common = (source.pk, display.version, moment(now), moment(now))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # one parameter: a constant statement, however many rows; psycopg writes arrays value by value
            objects = [
                {**project._asdict(), "document": write_document(project, display), "fetched_at": asked_at}
                for project, asked_at in fetched
            ]
            cursor.execute(_from_json(), [*common, json_text.write(objects)])
            return
        asked = {asked_at: moment(asked_at) for asked_at in {one.asked_at for one in fetched}}
        rows = [(*_row(project, display), asked[asked_at]) for project, asked_at in fetched]
        for start in range(0, len(rows), ROWS_AT_ONCE):
            together = rows[start : start + ROWS_AT_ONCE]
            cursor.execute(_from_values(len(together)), [*common, *chain.from_iterable(together)])


def _row(project: Parsed, display: TimeDisplayConfig) -> tuple[Any, ...]:
    return (
        project.remote_id,
        project.type,
        project.title,
        project.status,
        project.customer_name,
        project.phone,
        connection.ops.adapt_datetimefield_value(project.remote_updated_at),
        json_text.write(project.stakeholders),
        json_text.write(project.extra),
        write_document(project, display),
        project.content_hash,
    )


@cache
def _from_json() -> str:
    columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in VARYING.items())
    varying = [f"new.{_quoted(name)}" for name in VARYING]
    return _statement([f"%s::{kind}" for kind in COMMON.values()], varying, f"json_to_recordset(%s) AS new ({columns})")


@lru_cache(maxsize=2)
def _from_values(rows: int) -> str:
    row = f"({', '.join(['%s'] * len(VARYING))})"
    return _statement(["%s"] * len(COMMON), ["*"], f"(VALUES {', '.join([row] * rows)})")


def _statement(common: Sequence[str], varying: Sequence[str], rows: str) -> str:
    """The upsert of what these expressions give of ``rows``."""
    table, remote_id = map(_quoted, (ProjectCache._meta.db_table, "remote_id"))
    names = [*COMMON, *VARYING]
    columns, expressions = ", ".join(map(_quoted, names)), ", ".join([*common, *varying])
    changes = ", ".join(
        [
            *(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in names if name not in KEPT),
            *(f"{_quoted(name)} = NULL" for name in CLEARED),
        ]
    )
    return (
        # without WHERE, SQLite takes ON for the condition of a join
        f"INSERT INTO {table} ({columns}) SELECT {expressions} FROM {rows} WHERE true "  # noqa: S608 - names of ours
        f"ON CONFLICT ({remote_id}) DO UPDATE SET {changes} "
        f"WHERE {table}.source_id = excluded.source_id AND {table}.fetched_at <= excluded.fetched_at"
    )


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
