"""A stand-in's SQLite file: one connection behind one lock, so that every act is one transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Store:
    """Owns the file. All reads and writes of all threads go through ``transaction``, which nests.

    ``schema`` is run at each start; tables in ``kept_on_reset`` outlive ``clear``.
    """

    def __init__(self, path: Path, schema: str, *, kept_on_reset: frozenset[str] = frozenset()) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(schema)
        self._kept_on_reset = kept_on_reset

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        with self._lock:
            return self._connection.execute(sql, values)

    def insert(self, table: str, **columns: Any) -> int:
        """Adds a row and returns its id. Table and column names come from the code, never from a request."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        return int(self.execute(statement, *columns.values()).lastrowid or 0)

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        with self.transaction():
            self._connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def number(self, sql: str, *values: Any) -> int:
        """The single number a counting query returns; 0 for nothing."""
        row = self.row(sql, *values)
        return int(row[0] or 0) if row else 0

    def clear(self) -> None:
        with self.transaction():
            tables = self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            for table in tables:
                if table["name"] not in self._kept_on_reset:
                    self.execute(f"DELETE FROM {table['name']}")  # noqa: S608

    def close(self) -> None:
        with self._lock:
            self._connection.close()
