"""One row, one statement, one bounded wait: how the request's thread writes to the database.

``save()`` and ``bulk_create()`` cost a transaction of several round trips and half of the request's CPU; and both wait
for a lock as long as the connection's own settings say (20 s on SQLite). A callback has five seconds (doc 90930) and a
spool to fall back to, so it waits ``LONGEST_WAIT`` and no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from config.statements import Column, filled, insert_sql

LONGEST_WAIT = 1500
"""Milliseconds to wait for somebody else's lock."""


class DatabaseAway(Exception):
    """The row could not be written now: no connection, or a lock that outlasted the wait."""


class RowRefused(DatabaseAway):
    """The database answers and does not take this row: it became read-only, its tables are not the code's (between
    a migration and a restart), or what the row refers to is gone. Other rows may fare better."""


def insert(model: type[models.Model], **values: Any) -> bool:
    """Insert a row in one autocommit statement; False if a unique key holds it already.

    Raises DatabaseAway (RowRefused among it) whatever the database complains of: the caller has a second place.

    ``values`` by column attribute (``config_id``); the rest are the fields' defaults, ``auto_now_add`` included. No
    signals are sent.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        try:
            return _insert(connection, model, values)
        except (OperationalError, InterfaceError):
            # A kept connection whose server was restarted says so only when used. That is no outage: connect anew.
            if not getattr(connection.connection, "closed", False) or connection.in_atomic_block:
                raise
            connection.close()
            return _insert(connection, model, values)
    except (OperationalError, InterfaceError) as error:
        raise DatabaseAway(str(error)) from error
    except Error as error:
        if not connection.in_atomic_block:
            connection.close()  # after a failover it leads to the old primary, read-only for as long as it is kept
        raise RowRefused(f"{type(error).__name__}: {error}") from error


def _insert(connection: BaseDatabaseWrapper, model: type[models.Model], values: dict[str, Any]) -> bool:
    statement, columns = _statement(model, frozenset(values), connection.vendor)
    parameters = filled(columns, values, connection)
    # Django would first ask whether the connection lives: a round trip per callback for what insert() notices anyway.
    connection.health_check_done = True  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            with _Impatience.of(connection).while_inserting():
                cursor.execute(statement, parameters)
                return bool(cursor.rowcount)
        cursor.execute(statement, parameters)
        cursor.nextset()  # the SET answers too
        return bool(cursor.rowcount)


@cache
def _statement(model: type[models.Model], given: frozenset[str], vendor: str) -> tuple[str, Sequence[Column]]:
    """The statement, and the columns whose values are its parameters."""
    text, columns = insert_sql(model, given, 1, vendor)
    text = f"{text} ON CONFLICT DO NOTHING"
    if vendor == "sqlite":
        return text, columns
    # Sent as one message, which PostgreSQL runs as one transaction: the bound ends with it, at no extra round trip.
    return f"SET LOCAL statement_timeout = {LONGEST_WAIT}; {text}", columns


class _Impatience:
    """Lets one SQLite connection wait ``LONGEST_WAIT`` for an insert, and as long as usual for everything else.

    Setting the wait before each insert and back after it takes a tenth of a callback's time. So it stays short from one
    insert to the next, until another statement comes along: Django passes each through ``execute_wrappers``.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self._usual = int(connection.settings_dict["OPTIONS"].get("timeout", 5) * 1000)  # 5 s is Python's own default
        self._short: Any = None
        """The driver's connection that is impatient now; one that was opened later is not."""
        self._inserting = False

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> _Impatience:
        for wrapper in connection.execute_wrappers:
            if isinstance(wrapper, cls):
                return wrapper
        impatience = cls(connection)
        connection.execute_wrappers.insert(0, impatience)  # whoever adds one for a while takes the last one away again
        return impatience

    @contextmanager
    def while_inserting(self) -> Iterator[None]:
        if self._short is not self._connection.connection:
            self._wait(LONGEST_WAIT)
            self._short = self._connection.connection
        self._inserting = True
        try:
            yield
        finally:
            self._inserting = False

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if self._short is not None and not self._inserting:
            if self._short is self._connection.connection:
                self._wait(self._usual)
            self._short = None
        return execute(sql, params, many, context)

    def _wait(self, milliseconds: int) -> None:
        self._connection.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
