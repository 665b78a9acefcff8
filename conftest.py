"""The tests' database: a copy of the one that is migrated once per run, wiped after tests that committed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from config.testing.database import Database


@pytest.fixture(scope="session")
def django_db_setup(blank_database: Database, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's, which migrates in every xdist worker and flushes with ``post_migrate``."""
    from django.conf import settings
    from django.db import connection
    from django.test import TransactionTestCase

    from config.testing.slate import Slate

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    # a file on SQLite: in memory there are no locks, and real processes could not see it
    database = blank_database.copy(f"test_{worker}", Path(os.environ["TEST_FOLDER"]))
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock():
        connection.close()
        for place in (settings.DATABASES["default"], connection.settings_dict):
            patched.setitem(place, "NAME", database.name)
        slate = Slate(blank_database)
        patched.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: slate.wipe())
        yield
        connection.close()
    database.drop()
