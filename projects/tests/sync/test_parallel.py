"""Two at once, and one that dies: threads and real processes over one database."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from config.testing.processes import Process, Stack, wait_until
from projects.errors import AlreadyRunning
from projects.models import ProjectCache, ProjectStatusChange, ProjectSyncHistory, RemoteSource, RunStatus, SyncType
from projects.purge import purge_cache
from projects.sync import runs
from projects.sync.apply import apply_one
from projects.sync.passage import WRITE_AT
from projects.tests.sync.conftest import synchronise
from projects.tests.sync.peer import PeerLibrary as Library
from projects.tests.sync.peer import project, source_of

pytestmark = pytest.mark.django_db(transaction=True)
LONGEST = 60.0


@pytest.fixture
def source(library: Library, transactional_db: None) -> RemoteSource:
    return source_of(library)


class Gate:
    """Holds the library's answer to one page until the test opens it."""

    def __init__(self, library: Library, page: int) -> None:
        self.reached, self._open, self._page = threading.Event(), threading.Event(), page
        library.hook = self._hold

    def _hold(self, page: int) -> None:
        if page == self._page:
            self.reached.set()
            assert self._open.wait(LONGEST)

    def open(self) -> None:
        self._open.set()


def in_thread(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


def test_of_two_threads_one_runs(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(6)))
    gate = Gate(library, 2)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread, lambda: synchronise(source))
        assert gate.reached.wait(LONGEST)
        with pytest.raises(AlreadyRunning):
            synchronise(source)
        gate.open()
        assert first.result(LONGEST).status == RunStatus.SUCCESS
    assert ProjectCache.objects.count() == 6 and ProjectSyncHistory.objects.count() == 1


def test_who_waits_for_a_run_that_a_worker_has_taken_gets_its_end(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(6)))
    gate = Gate(library, 2)
    opened = runs.open_run(source, sync_type=SyncType.MANUAL)
    with ThreadPoolExecutor(2) as pool:
        worker = pool.submit(in_thread, runs.run_pending)
        assert gate.reached.wait(LONGEST)
        waiting = pool.submit(in_thread, lambda: runs.run(opened))
        gate.open()
        assert waiting.result(LONGEST).status == RunStatus.SUCCESS
        assert waiting.result().total_projects == 6
        assert worker.result(LONGEST) == 1


def test_a_run_and_a_refresh_tell_a_change_once(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(4)))
    synchronise(source)
    library.change(0, status="shipped")
    start = threading.Barrier(3)

    def refresh() -> None:
        start.wait(LONGEST)
        apply_one(source, library.projects["P-0"], now=timezone.now())

    def whole_run() -> None:
        start.wait(LONGEST)
        synchronise(source)

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(in_thread, work) for work in (refresh, refresh, whole_run)]
        for one in done:
            one.result(LONGEST)
    assert ProjectStatusChange.objects.get().notices == 3
    assert ProjectCache.objects.get(remote_id="P-0").status == "shipped"


def test_a_copy_that_comes_back_while_it_is_purged_stays(library: Library, source: RemoteSource) -> None:
    library.have(project(0), project(1))
    synchronise(source)
    long_ago = timezone.now() - timedelta(days=8)
    ProjectCache.objects.update(removed_at=long_ago, fetched_at=long_ago)
    chosen = threading.Event()

    def mark(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("BEGIN", "DELETE")) or "FOR UPDATE" in sql:
            chosen.set()
        return execute(sql, *rest)

    def purged() -> int:
        with connection.execute_wrapper(mark):
            return purge_cache()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            apply_one(source, library.projects["P-0"], now=timezone.now())
            purge = pool.submit(in_thread, purged)
            assert chosen.wait(LONGEST)
        assert purge.result(LONGEST) == 1
    assert ProjectCache.objects.get().remote_id == "P-0"


def test_of_two_processes_one_runs_and_the_other_says_so(library: Library, source: RemoteSource, stack: Stack) -> None:
    library.have(*(project(number) for number in range(6)))
    gate = Gate(library, 2)
    first = stack.manage("sync_projects")
    assert gate.reached.wait(LONGEST)
    second = stack.manage("sync_projects")
    assert second.popen.wait(LONGEST) == 1
    gate.open()
    assert first.popen.wait(LONGEST) == 0, first.output
    assert ProjectSyncHistory.objects.get().status == RunStatus.SUCCESS


def killed_in(stack: Stack, gate: Gate) -> Process:
    process = stack.manage("sync_projects")
    assert gate.reached.wait(LONGEST), process.output
    process.kill()
    gate.open()
    return process


def test_a_killed_run_is_closed_and_the_next_one_is_complete(
    library: Library, source: RemoteSource, stack: Stack
) -> None:
    source.page_size = WRITE_AT
    source.save()
    library.have(*(project(number) for number in range(4 * WRITE_AT)))
    killed_in(stack, Gate(library, 3))
    dead = ProjectSyncHistory.objects.get()
    assert dead.status == RunStatus.RUNNING and dead.pages_done == 2
    assert ProjectCache.objects.count() == 2 * WRITE_AT
    with pytest.raises(AlreadyRunning):
        synchronise(source)
    ProjectSyncHistory.objects.update(alive_until=timezone.now() - timedelta(seconds=1))  # the lease is over
    library.asked.clear()
    run = synchronise(source)
    dead.refresh_from_db()
    assert (dead.status, run.status) == (RunStatus.PARTIAL, RunStatus.SUCCESS)
    assert library.asked == [3, 4, 1, 2]
    assert ProjectCache.objects.listed().count() == 4 * WRITE_AT
    source.refresh_from_db()
    assert source.confirmed_at == run.started_at


def test_what_waits_is_taken_by_a_worker(library: Library, source: RemoteSource, stack: Stack) -> None:
    library.have(*(project(number) for number in range(6)))
    stack.worker()
    runs.open_run(source, sync_type=SyncType.MANUAL)
    from projects.tasks import sweep

    assert sweep()["waiting"] == 1
    run = wait_until(lambda: ProjectSyncHistory.objects.filter(status=RunStatus.SUCCESS).first(), LONGEST, "it has run")
    assert run.total_projects == 6


@pytest.mark.slow
def test_memory_does_not_grow_with_the_library(library: Library, source: RemoteSource, stack: Stack) -> None:
    source.page_size = 250
    source.save()
    library.have(*(project(number, note="x" * 600) for number in range(500)))
    few = peak_memory(stack)
    library.have(*(project(number, note="x" * 600) for number in range(10_000)))
    many = peak_memory(stack)
    assert ProjectCache.objects.count() == 10_000
    assert many - few < 12, f"{few:.0f} MB, then {many:.0f} MB"


def peak_memory(stack: Stack) -> float:
    """Peak RSS in MB of a run in a process of its own."""
    process = subprocess.Popen([sys.executable, "manage.py", "sync_projects"], env=stack.environment)
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss / 1024
