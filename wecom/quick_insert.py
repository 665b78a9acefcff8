"""One row, one statement, one bounded wait: how the request's thread writes to the database.

``save()`` and ``bulk_create()`` cost a transaction of several round trips and half of the request's CPU; and both wait
for a lock as long as the connection's own settings say (20 s on SQLite). A callback has five seconds (doc 90930) and a
spool to fall back to, so it waits ``LONGEST_WAIT`` and no longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import InterfaceError, OperationalError, connection, models

LONGEST_WAIT = 1500
"""Milliseconds to wait for somebody else's lock."""


class DatabaseAway(Exception):
    """The row could not be written now: no connection, or a lock that outlasted the wait."""


def insert(row: models.Model) -> bool:
    """Insert ``row`` in one autocommit statement; False if a unique key holds it already. Raises DatabaseAway.

    Defaults and ``auto_now_add`` apply as in ``save()``; signals are not sent and ``row.pk`` stays unset.
    """
    try:
        try:
            return _insert(row)
        except (OperationalError, InterfaceError):
            # A kept connection whose server was restarted says so only when used. That is no outage: connect anew.
            if not getattr(connection.connection, "closed", False) or connection.in_atomic_block:
                raise
            connection.close()
            return _insert(row)
    except (OperationalError, InterfaceError) as error:
        raise DatabaseAway(str(error)) from error


def _insert(row: models.Model) -> bool:
    fields = [field for field in row._meta.concrete_fields if not isinstance(field, models.AutoField)]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    statement = _statement(type(row), connection.vendor)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            with _busy_timeout(cursor):
                cursor.execute(statement, values)
                return bool(cursor.rowcount)
        cursor.execute(statement, values)
        while cursor.nextset():  # the SETs answer too; the INSERT is the last
            pass
        return bool(cursor.rowcount)


@cache
def _statement(model: type[models.Model], vendor: str) -> str:
    quote = connection.ops.quote_name
    columns = [str(field.column) for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    insert_sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) "  # noqa: S608 - names of ours
        f"VALUES ({', '.join(['%s'] * len(columns))}) ON CONFLICT DO NOTHING"
    )
    if vendor == "sqlite":
        return insert_sql
    # Sent as one message, which PostgreSQL runs as one transaction: the bounds end with it, at no extra round trip.
    return f"SET LOCAL lock_timeout = {LONGEST_WAIT}; SET LOCAL statement_timeout = {LONGEST_WAIT}; {insert_sql}"


@contextmanager
def _busy_timeout(cursor: Any) -> Iterator[None]:
    usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
    cursor.execute(f"PRAGMA busy_timeout = {LONGEST_WAIT}")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {usual}")
