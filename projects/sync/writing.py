"""The one statement that writes copies: an upsert of many rows, past the ORM.

Saving a model costs ten times the work of everything else that is done for a project. The newest wins: a row that was
fetched after ``asked_at`` stays, and a row of another source is never touched.
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
from projects.parsing import Parsed

COLUMNS = {
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
    "source_id": "bigint",
    "document_version": "integer",
    "fetched_at": "timestamptz",
    "changed_at": "timestamptz",
    "created_at": "timestamptz",
}
"""With their types on PostgreSQL. ``removed_at`` becomes NULL."""
KEPT = ("remote_id", "created_at")
"""Columns that an existing row keeps."""


def upsert(
    source: RemoteSource, projects: Sequence[Parsed], *, asked_at: datetime, now: datetime, display: TimeDisplayConfig
) -> None:
    """Write ``projects`` (no ID twice) as copies of ``source``."""
    if not projects:
        return
    rows = [_row(project, source.pk, asked_at, now, display) for project in projects]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # one array per column: a constant statement, however many rows
            cursor.execute(_statement("postgresql"), [list(column) for column in zip(*rows, strict=True)])
        else:
            cursor.executemany(_statement(connection.vendor), rows)


def _row(
    project: Parsed, source_id: int, asked_at: datetime, now: datetime, display: TimeDisplayConfig
) -> tuple[Any, ...]:
    moment = connection.ops.adapt_datetimefield_value
    return (
        project.remote_id,
        project.type,
        project.title,
        project.status,
        project.customer_name,
        project.phone,
        moment(project.remote_updated_at),
        json.dumps(project.stakeholders),
        json.dumps(project.extra),
        write_document(project, display),
        project.content_hash,
        source_id,
        display.version,
        moment(asked_at),
        moment(now),
        moment(now),
    )


@cache
def _statement(vendor: str) -> str:
    quote = connection.ops.quote_name
    table = quote(ProjectCache._meta.db_table)
    names = [quote(name) for name in COLUMNS]
    if vendor == "postgresql":
        arrays = ", ".join(f"%s::{'text' if kind == 'jsonb' else kind}[]" for kind in COLUMNS.values())
        cast = ", ".join(quote(name) + ("::jsonb" if kind == "jsonb" else "") for name, kind in COLUMNS.items())
        rows = f"SELECT {cast} FROM unnest({arrays}) AS new ({', '.join(names)})"  # noqa: S608 - names of ours
    else:
        rows = f"VALUES ({', '.join(['%s'] * len(names))})"
    changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in COLUMNS if name not in KEPT)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) {rows} "
        f"ON CONFLICT ({quote('remote_id')}) DO UPDATE SET {changes}, {quote('removed_at')} = NULL "
        f"WHERE {table}.source_id = excluded.source_id AND {table}.fetched_at <= excluded.fetched_at"
    )
