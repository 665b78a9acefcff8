"""Looks are written in batches, refusals at once; and what a process that ends, or is killed, has written."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.test import Client
from django.utils import timezone

from config.testing.processes import Stack, wait_until
from projects import access_log
from projects.access_log import AccessLog, Look
from projects.models import AccessOutcome, ProjectAccessLog, ProjectAccessToken
from projects.tests.access.conftest import Read
from projects.tokens import Issued
from wecom.refusals import Allowance

pytestmark = pytest.mark.django_db


def test_looks_wait_and_are_written_together_with_their_counts(
    link: Issued, engineers_link: Issued, read: Read
) -> None:
    for token, times in ((link.token, 3), (engineers_link.token, 2)):
        for _ in range(times):
            read(token)
    read(link.token, verify=True)
    assert not ProjectAccessLog.objects.exists()
    assert access_log.flush()
    assert ProjectAccessLog.objects.filter(outcome=AccessOutcome.ALLOWED).count() == 6
    uses = ProjectAccessToken.objects.order_by("pk").values_list("use_count", flat=True)
    assert list(uses) == [4, 2]
    entry = ProjectAccessLog.objects.latest("pk")
    link.row.refresh_from_db()
    assert link.row.last_used_at == entry.at
    assert (entry.token, entry.person, entry.access_type, entry.door) == (link.row, "王芳", "customer", "verify")
    assert timezone.now() - entry.at < timedelta(minutes=1)


def test_the_last_use_never_goes_back(link: Issued) -> None:
    """Processes write their batches when they like, so a later look may be written first."""
    now = timezone.now()
    first, second = AccessLog(write_every=None), AccessLog(write_every=None)
    for log, ages in ((first, (0, 5)), (second, (10, 20))):
        for age in ages:
            at = now - timedelta(seconds=age)
            log.add(Look(at, "P-1001", "api", None, "", token_id=link.row.pk))
        assert log.flush()
        link.row.refresh_from_db()
        assert link.row.last_used_at == now
    assert link.row.use_count == 4


def test_a_look_knows_address_and_browser(link: Issued, client: Client) -> None:
    agent = "Mozilla/5.0 \x00" + "x" * 500
    client.get(f"/api/projects/P-1001?token={link.token}", REMOTE_ADDR="203.0.113.7", headers={"user-agent": agent})
    access_log.flush()
    entry = ProjectAccessLog.objects.get()
    assert entry.address == "203.0.113.7"
    assert entry.agent.startswith("Mozilla/5.0 �xxx")
    assert len(entry.agent) == 200


def test_staff_are_logged_by_their_account(project: Any, client: Client) -> None:
    ada = User.objects.create_superuser("ada")
    client.force_login(ada)
    assert client.get("/api/projects/P-1001").status_code == 200
    access_log.flush()
    entry = ProjectAccessLog.objects.get()
    assert (entry.user, entry.token, entry.person, entry.door) == (ada, None, "ada", "api")


def test_a_refusal_does_not_wait(link: Issued, read: Read) -> None:
    read(link.token)
    read("guess")
    assert ProjectAccessLog.objects.get().outcome == AccessOutcome.INVALID


def test_throttled_requests_do_not_fill_the_disk(link: Issued, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    from projects import door
    from projects.throttling import Budgets

    monkeypatch.setattr(door, "budgets", Budgets(per_minute=1))
    monkeypatch.setattr(access_log, "_throttled", Allowance(2, 1))
    for _ in range(5):
        read(link.token)
    assert ProjectAccessLog.objects.filter(outcome=AccessOutcome.THROTTLED).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_link_that_was_purged_meanwhile_does_not_lose_the_batch(
    link: Issued, engineers_link: Issued, read: Read
) -> None:
    """PostgreSQL notices at the commit, SQLite too: a real transaction is needed."""
    read(link.token)
    read(engineers_link.token)
    link.row.delete()
    assert access_log.flush()
    assert list(ProjectAccessLog.objects.order_by("pk").values_list("token", "person")) == [
        (None, "王芳"),
        (engineers_link.row.pk, "张伟"),
    ]
    engineers_link.row.refresh_from_db()
    assert engineers_link.row.use_count == 1


def look(number: int = 0) -> Look:
    return Look(timezone.now(), f"P-{number}", "api", "203.0.113.7", "agent")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The database is away; call it to bring it back."""
    with monkeypatch.context() as patch:

        def refuse(_looks: Any) -> None:
            raise OperationalError("connection refused")

        patch.setattr(access_log, "_insert", refuse)
        yield patch.undo


def test_what_cannot_be_written_is_kept_in_its_order(away: Callable[[], None], db: None) -> None:
    log = AccessLog(write_every=None)
    for number in range(3):
        log.add(look(number))
    assert not log.flush()
    away()
    assert log.flush()
    assert list(ProjectAccessLog.objects.order_by("pk").values_list("remote_id", flat=True)) == ["P-0", "P-1", "P-2"]


def test_of_a_long_outage_the_newest_are_kept(
    away: Callable[[], None], monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr(access_log, "MOST_WAITING", 2)
    log = AccessLog(write_every=None)
    for number in range(5):
        log.add(look(number))
    assert not log.flush()
    away()
    log.flush()
    assert list(ProjectAccessLog.objects.order_by("pk").values_list("remote_id", flat=True)) == ["P-3", "P-4"]


def written() -> int:
    return ProjectAccessLog.objects.count()


@pytest.mark.django_db(transaction=True)
def test_the_thread_writes_after_a_while_and_a_full_batch_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "BATCH", 10)
    quick, slow = AccessLog(write_every=0.05), AccessLog(write_every=3600)
    quick.add(look())
    wait_until(lambda: written() == 1)
    for _ in range(10):
        slow.add(look())
    wait_until(lambda: written() == 11)


@pytest.mark.django_db(transaction=True)
def test_the_thread_goes_on_after_an_outage(away: Callable[[], None]) -> None:
    log = AccessLog(write_every=0.05)
    log.add(look())
    wait_until(lambda: not log._arrived.is_set() or log._looks)
    away()
    wait_until(lambda: written() == 1)


def test_a_fork_starts_with_nothing_of_its_parents() -> None:
    log = access_log._log
    log.add(look())
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"%d" % len(access_log._log._looks))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"0"
    assert len(access_log._log._looks) == 1


def test_many_threads_lose_nothing() -> None:
    log = AccessLog(write_every=None)

    def add_many() -> None:
        for _ in range(200):
            log.add(look())

    threads = [threading.Thread(target=add_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log._looks) == 1600


# --- real processes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def looked_at(stack: Stack, link: Issued, settings: Any) -> Callable[..., int]:
    """GET from a real web server; its status."""
    stack.environment["PROJECT_TOKEN_KEYS"] = ",".join(settings.PROJECT_TOKEN_KEYS)
    web = stack.web()
    session = requests.Session()

    def get(token: str = link.token) -> int:
        return session.get(f"{web.url}/api/projects/P-1001", params={"token": token}, timeout=10).status_code

    connections["default"].close()
    return get


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_stopped_writes_its_last_looks(stack: Stack, looked_at: Callable[..., int], link: Issued):
    assert [looked_at() for _ in range(5)] == [200] * 5
    before = written()
    assert stack.processes[0].terminate() == 0
    assert before < 5  # they had not been written in passing
    assert written() == 5
    link.row.refresh_from_db()
    assert link.row.use_count == 5


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_killed_loses_the_last_looks_and_no_refusal(stack: Stack, looked_at: Callable[..., int]):
    assert looked_at() == 200
    wait_until(lambda: written() == 1, message="the first look is written by the thread")
    assert [looked_at() for _ in range(3)] == [200] * 3
    assert [looked_at("guess") for _ in range(3)] == [401] * 3
    stack.processes[0].kill()
    outcomes = list(ProjectAccessLog.objects.order_by("pk").values_list("outcome", flat=True))
    assert outcomes.count("token_invalid") == 3
    assert outcomes.count("allowed") < 4
    assert outcomes[0] == "allowed"


def test_reading_does_not_wait_for_the_log(link: Issued, read: Read) -> None:
    """While a batch is being written, and while it hangs."""
    with access_log._log._writing:
        assert read(link.token).status_code == 200
    assert connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_an_account_that_was_deleted_meanwhile_does_not_lose_the_batch(project: Any, client: Client) -> None:
    ada = User.objects.create_superuser("ada")
    client.force_login(ada)
    client.get("/api/projects/P-1001")
    ada.delete()
    assert access_log.flush()
    entry = ProjectAccessLog.objects.get()
    assert (entry.user, entry.person) == (None, "ada")


def test_a_batch_costs_the_same_whatever_it_holds(
    link: Issued, engineers_link: Issued, read: Read, django_assert_max_num_queries: Any
) -> None:
    for _ in range(10):
        read(link.token)
        read(engineers_link.token)
    with django_assert_max_num_queries(5):  # three, and a savepoint
        access_log.flush()
    assert written() == 20
