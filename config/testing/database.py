"""A migrated database of one house's own, which may be locked, stopped and looked into without touching other tests."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

Unblock = Callable[[], AbstractContextManager[Any]]


class Database:
    """Where it is, as overrides of Django's connection settings. ``unblock`` lifts pytest-django's ban."""

    def __init__(self, unblock: Unblock, **place: Any) -> None:
        self._unblock = unblock
        self.place = place

    @property
    def name(self) -> str:
        return str(self.place["NAME"])

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Inside the block the models of this process speak to this database."""
        usual = {key: connection.settings_dict[key] for key in self.place}
        with self._unblock():
            connection.close()
            connection.settings_dict.update(self.place)
            try:
                yield
            finally:
                connection.close()
                connection.settings_dict.update(usual)

    def migrate(self) -> Database:
        with self.opened():
            call_command("migrate", verbosity=0)
        return self

    def copy(self, name: str, folder: Path) -> Database:
        """A new database with the same content."""
        if connection.vendor == "sqlite":
            target = folder / f"{name}.sqlite3"
            with sqlite3.connect(self.name) as source:
                source.execute("VACUUM INTO ?", [str(target)])
            source.close()
            return Database(self._unblock, NAME=str(target))
        _in_maintenance(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')
        return Database(self._unblock, NAME=name)

    def drop(self) -> None:
        if connection.vendor == "postgresql":
            _in_maintenance(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


def blank(unblock: Unblock, folder: Path) -> Database:
    """The run's one empty, migrated database, to make copies of. Whoever of the xdist workers comes first makes it."""
    sqlite = connection.vendor == "sqlite"
    database = Database(unblock, NAME=str(folder / "blank.sqlite3") if sqlite else "blank")
    made = folder / "blank.made"
    with (folder / "blank.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            if not sqlite:
                _in_maintenance('CREATE DATABASE "blank"')
            database.migrate()
            made.touch()
    return database


def _in_maintenance(statement: str) -> None:
    """``CREATE DATABASE`` and its like are said from the server's own database, outside any transaction."""
    import psycopg

    parameters = connection.get_connection_params()  # type: ignore[no-untyped-call]
    known = {key: parameters[key] for key in ("host", "user", "password") if parameters.get(key)}
    with psycopg.connect(dbname="postgres", autocommit=True, **known) as server:
        server.execute(statement)  # type: ignore[arg-type]
