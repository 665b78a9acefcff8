"""The one statement that writes copies: an upsert of many rows, past the ORM.

Saving a model costs ten times the work of everything else that is done for a project. The newest wins: a row that was
fetched later stays, and a row of another source is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection

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
"""Columns that are the same in all rows of one statement. ``removed_at`` becomes NULL."""
KEPT = ("remote_id", "created_at")
"""Columns that an existing row keeps."""
_json = json.JSONEncoder().encode


def upsert(source: RemoteSource, fetched: Sequence[Fetched], *, now: datetime, display: TimeDisplayConfig) -> None:
    """Write projects (none twice) as copies of ``source``."""
    if not fetched:
        return
    moment = connection.ops.adapt_datetimefield_value
    asked = {asked_at: moment(asked_at) for _project, asked_at in fetched}
    rows = [(*_row(project, display), asked[asked_at]) for project, asked_at in fetched]
    common = (source.pk, display.version, moment(now), moment(now))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # one array per column: a constant statement, however many rows
            cursor.execute(_statement("postgresql"), [*common, *map(list, zip(*rows, strict=True))])
        else:
            cursor.executemany(_statement(connection.vendor), [row + common for row in rows])


def _row(project: Parsed, display: TimeDisplayConfig) -> tuple[Any, ...]:
    return (
        project.remote_id,
        project.type,
        project.title,
        project.status,
        project.customer_name,
        project.phone,
        connection.ops.adapt_datetimefield_value(project.remote_updated_at),
        _json(project.stakeholders),
        _json(project.extra),
        write_document(project, display),
        project.content_hash,
    )


@cache
def _statement(vendor: str) -> str:
    quote = connection.ops.quote_name
    table = quote(ProjectCache._meta.db_table)
    columns = ", ".join(map(quote, [*VARYING, *COMMON]))
    if vendor == "postgresql":
        arrays = ", ".join(f"%s::{'text' if kind == 'jsonb' else kind}[]" for kind in VARYING.values())
        cast = ", ".join(quote(name) + ("::jsonb" if kind == "jsonb" else "") for name, kind in VARYING.items())
        common = ", ".join(f"%s::{kind}" for kind in COMMON.values())
        names = ", ".join(map(quote, VARYING))
        rows = f"SELECT {cast}, {common} FROM unnest({arrays}) AS new ({names})"  # noqa: S608 - names of ours
    else:
        rows = f"VALUES ({', '.join(['%s'] * (len(VARYING) + len(COMMON)))})"
    changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in (*VARYING, *COMMON) if name not in KEPT)
    return (
        f"INSERT INTO {table} ({columns}) {rows} "
        f"ON CONFLICT ({quote('remote_id')}) DO UPDATE SET {changes}, {quote('removed_at')} = NULL "
        f"WHERE {table}.source_id = excluded.source_id AND {table}.fetched_at <= excluded.fetched_at"
    )
