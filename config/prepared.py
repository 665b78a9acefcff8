"""One row by one statement in one round trip: for what is read so often that everything around the row counts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus

if TYPE_CHECKING:
    from psycopg import abc
    from psycopg.pq.abc import PGresult

FORGOTTEN = b"26000"
"""SQLSTATE: the server does not know the statement. A pooler gave us another one, or somebody said DISCARD ALL."""


class Prepared:
    """A SELECT of one row.

    On PostgreSQL it is planned once per connection instead of once per call, and one call of libpq sends it and waits
    for the row: the interpreter is left and entered once, where a cursor does so four times, each time against all the
    threads that wait for it too. The connection is not asked first whether it lives: a kept one whose server was
    restarted says so when used, and is replaced once.
    """

    def __init__(self, name: str, sql: str) -> None:
        """``sql``: with ``%s`` for each parameter. ``name``: its own among all prepared statements."""
        self._sql, self._name = sql, name.encode()
        numbers = (f"${number}" for number in range(1, sql.count("%s") + 1))
        self._numbered = (sql.replace("%s", "{}").format(*numbers)).encode()
        self._readers: WeakKeyDictionary[psycopg.Connection[Any], abc.Transformer] = WeakKeyDictionary()
        """Of the connections that know the statement: what makes Python's values of a row. Kept, because it finds out
        once what to do with each column; and with psycopg's own loaders: Django's, for times, are three times as slow.
        """

    def fetch(self, *parameters: str) -> tuple[Any, ...] | None:
        """The row, or ``None``. Values are the driver's: SQLite's times are naive UTC.

        Raises Django's database errors.
        """
        connection = connections[DEFAULT_DB_ALIAS]
        try:
            return self._fetch(connection, parameters)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or not getattr(connection.connection, "closed", False):
                raise
            connection.close()
            return self._fetch(connection, parameters)

    def _fetch(self, connection: BaseDatabaseWrapper, parameters: Sequence[str]) -> tuple[Any, ...] | None:
        connection.health_check_done = True  # type: ignore[attr-defined]
        if connection.vendor == "postgresql":
            return self._fetch_by_libpq(connection, parameters)
        with connection.cursor() as cursor:
            cursor.execute(self._sql, parameters)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    def _fetch_by_libpq(self, connection: BaseDatabaseWrapper, parameters: Sequence[str]) -> tuple[Any, ...] | None:
        connection.ensure_connection()
        driver: psycopg.Connection[Any] = connection.connection
        started = time.monotonic()
        with connection.wrap_database_errors:
            result = self._execute(driver, [parameter.encode() for parameter in parameters])
        if connection.queries_logged:
            connection.queries_log.append({"sql": self._sql, "time": f"{time.monotonic() - started:.3f}"})
        if result.ntuples == 0:
            return None
        reader = self._readers[driver]
        reader.set_pgresult(result)
        row: tuple[Any, ...] | None = reader.load_row(0, tuple)
        return row

    def _execute(self, driver: psycopg.Connection[Any], parameters: list[bytes]) -> PGresult:
        if driver not in self._readers:
            _checked(driver, driver.pgconn.prepare(self._name, self._numbered, None))
            self._readers[driver] = Transformer()
        result = driver.pgconn.exec_prepared(self._name, parameters)
        if result.status == ExecStatus.TUPLES_OK:
            return result
        if result.error_field(DiagnosticField.SQLSTATE) == FORGOTTEN:
            _checked(driver, driver.pgconn.prepare(self._name, self._numbered, None))
            result = driver.pgconn.exec_prepared(self._name, parameters)
        return _checked(driver, result)


def _checked(driver: psycopg.Connection[Any], result: PGresult) -> PGresult:
    """``result``, or the driver's exception for what went wrong."""
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return result
    if driver.closed:
        raise psycopg.OperationalError(driver.pgconn.get_error_message())
    raise error_from_result(result)
