"""One row by one statement in one round trip: for what is read so often that everything around the row counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def fetch_one(sql: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row, or ``None``. Values are the driver's: SQLite's times are naive UTC, JSON is text.

    On PostgreSQL the statement is planned once per connection instead of once per call, and the connection is not
    asked first whether it lives: a kept one whose server was restarted says so when used, and is replaced once.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        return _fetch(connection, sql, parameters)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not getattr(connection.connection, "closed", False):
            raise
        connection.close()
        return _fetch(connection, sql, parameters)


def _fetch(connection: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    connection.health_check_done = True  # type: ignore[attr-defined]
    with _cursor(connection) as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _cursor(connection: BaseDatabaseWrapper) -> Any:
    if connection.vendor != "postgresql":
        return connection.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor

    # Django's usual cursor writes the parameters into the text, so that PostgreSQL meets a new statement each time
    connection.ensure_connection()
    return connection._prepare_cursor(ServerBindingCursor(connection.connection))  # type: ignore[attr-defined]
