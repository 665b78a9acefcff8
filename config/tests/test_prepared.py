"""One row in one round trip, also after the server has forgotten or closed what we had."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.prepared import Prepared

USER = Prepared("test_user", "SELECT id, username, is_active, date_joined FROM auth_user WHERE username = %s")
only_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="what PostgreSQL prepares")


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada")


def fetched(user: User) -> bool:
    row = USER.fetch(user.username)
    return row is not None and row[:2] == (user.pk, user.username) and bool(row[2])


def test_the_row_comes_in_python_types(ada: User) -> None:
    row = USER.fetch("ada")
    assert row is not None
    assert row[3].replace(tzinfo=None) == ada.date_joined.replace(tzinfo=None)
    assert USER.fetch("nobody") is None
    assert USER.fetch("'; --") is None


def test_it_counts_as_one_query(ada: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        fetched(ada)
    assert [query["sql"].split()[0] for query in queries if "PRAGMA" not in query["sql"]] == ["SELECT"]


def test_it_sees_what_its_transaction_has_written(ada: User) -> None:
    with transaction.atomic():
        assert fetched(User.objects.create_user("grace"))


def test_a_wrong_statement_is_djangos_error(db: None) -> None:
    with pytest.raises((OperationalError, ProgrammingError)):
        Prepared("test_wrong", "SELECT nothing FROM nowhere WHERE x = %s").fetch("x")


@only_postgres
def test_a_statement_that_the_server_forgot_is_prepared_again(ada: User) -> None:
    assert fetched(ada)
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")
    assert fetched(ada)


@only_postgres
def test_a_kept_connection_that_was_closed_is_replaced(ada: User) -> None:
    assert fetched(ada)
    _close_from_outside()
    assert fetched(ada)


@only_postgres
def test_within_a_transaction_a_lost_connection_is_told(ada: User) -> None:
    with pytest.raises(OperationalError):
        _lose_the_connection_in_the_middle(ada)
    connection.close()
    assert not User.objects.filter(username="grace").exists()


@transaction.atomic
def _lose_the_connection_in_the_middle(ada: User) -> None:
    User.objects.create_user("grace")
    _close_from_outside()
    fetched(ada)


def _close_from_outside() -> None:
    driver: Any = connection.connection
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [driver.info.backend_pid])
    other.close()
