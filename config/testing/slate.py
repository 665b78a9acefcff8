"""What a freshly migrated database holds, and the way back to it after a test that committed.

Django's own way, the command ``flush``, truncates every table and then lets ``post_migrate`` write all permissions,
content types and schedules anew: half a second per test, and the rows that migrations wrote (the roles) stay lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from config.testing.database import Database

SLATE = "slate"
"""The schema (PostgreSQL) or attached file (SQLite) with the rows of the first moment."""


class Slate:
    """Made from the database of this process while nobody has written into it yet; ``blank`` holds the same."""

    def __init__(self, blank: Database) -> None:
        self._blank = blank
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
            cursor.execute(_either(f"SELECT '{table}' WHERE {_holds_rows(table)}" for table in tables))
            self._filled = {table for (table,) in cursor.fetchall()}
            if connection.vendor == "postgresql":
                cursor.execute(f"CREATE SCHEMA {SLATE}")
                for table in self._filled:
                    cursor.execute(f'CREATE TABLE {SLATE}."{table}" AS TABLE "{table}"')
        self._changed_tables = _either(
            f"SELECT '{table}' WHERE {_changed(table) if table in self._filled else _holds_rows(table)}"
            for table in tables
        )

    def wipe(self) -> None:
        """Every table is as it was. Identity counters go on, as they do after a flush."""
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(f"ATTACH DATABASE %s AS {SLATE}", [self._blank.name])
            with connection.constraint_checks_disabled():
                self._restore()
            with connection.cursor() as cursor:
                cursor.execute(f"DETACH DATABASE {SLATE}")
        else:
            self._restore()
        ContentType.objects.clear_cache()

    def _restore(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":  # no foreign key fires: in the end all of them hold again
                cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(self._changed_tables)
            for (table,) in cursor.fetchall():
                cursor.execute(f'DELETE FROM "{table}"')
                if table in self._filled:
                    cursor.execute(f'INSERT INTO "{table}" SELECT * FROM {SLATE}."{table}"')


def _either(selects: Iterable[str]) -> str:
    return " UNION ALL ".join(selects)


def _holds_rows(table: str) -> str:
    return f'EXISTS (SELECT 1 FROM "{table}")'


def _changed(table: str) -> str:
    """Other rows than at the beginning: some that were not there, or fewer."""
    here, before = f'"{table}"', f'{SLATE}."{table}"'
    return (
        f"EXISTS (SELECT * FROM {here} EXCEPT SELECT * FROM {before}) "
        f"OR (SELECT count(*) FROM {here}) <> (SELECT count(*) FROM {before})"
    )
