"""Real processes over one database: two at once, and one that is killed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.testing.processes import Stack, wait_until
from wecom.directory_sync import runs
from wecom.models import DirectorySyncRun, Member, WeComConfig
from wecom.tests.directory.company import ROOT, Company
from wecom.tests.directory.conftest import synchronise
from wecom.tests.peers import Peer, Received

pytestmark = pytest.mark.django_db(transaction=True)
LONGEST = 60.0


class Gate:
    """Holds WeCom's answer about one department until the test opens it."""

    def __init__(self, company: Company, peer: Peer, department: int) -> None:
        self.reached, self._open = threading.Event(), threading.Event()
        self._company, self._department = company, department
        peer.answer("user/list", self._answer)

    def _answer(self, request: Received) -> dict[str, Any]:
        if request.query["department_id"] == str(self._department):
            self.reached.set()
            assert self._open.wait(LONGEST)
        return self._company.user_list(request)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(company: Company, peer: Peer, saved_app: WeComConfig, stack: Stack) -> Gate:
    company.department(2)
    company.have(8, ROOT, 2)
    stack.environment["WECOM_API_BASE_URL"] = peer.url
    return Gate(company, peer, 2)


def test_of_two_commands_one_runs_and_the_other_says_so(gate: Gate, stack: Stack) -> None:
    first = stack.manage("sync_directory", "--type", "user")
    assert gate.reached.wait(LONGEST), first.output
    second = stack.manage("sync_directory")
    assert second.popen.wait(LONGEST) == 1
    assert DirectorySyncRun.objects.count() == 1
    gate.open()
    assert first.popen.wait(LONGEST) == 0, first.output
    assert Member.objects.count() == 8


def test_a_killed_run_leaves_nothing_behind_and_blocks_no_other(
    gate: Gate, stack: Stack, saved_app: WeComConfig
) -> None:
    killed = stack.manage("sync_directory", "--type", "user")
    assert gate.reached.wait(LONGEST), killed.output
    killed.kill()
    gate.open()
    assert DirectorySyncRun.objects.get().status == "running" and not Member.objects.exists()
    with pytest.raises(runs.AlreadyRunning):
        synchronise(saved_app)
    DirectorySyncRun.objects.update(alive_until=timezone.now() - timedelta(seconds=1))  # the lease is over
    run = synchronise(saved_app, "user")
    assert (run.status, run.created) == ("success", 8)
    assert sorted(DirectorySyncRun.objects.values_list("status", flat=True)) == ["failed", "success"]


def test_a_scheduled_run_that_was_killed_is_repeated_by_a_worker(
    gate: Gate, stack: Stack, saved_app: WeComConfig
) -> None:
    run = runs.open_run(saved_app, "user", automatic=True)
    worker = stack.worker()
    assert runs.sweep() == 1
    assert gate.reached.wait(LONGEST), worker.output
    worker.kill()
    gate.open()
    DirectorySyncRun.objects.update(alive_until=timezone.now() - timedelta(seconds=1))
    assert runs.close_dead() == 0 or DirectorySyncRun.objects.get().retries == 1
    run.refresh_from_db()
    assert (run.status, run.retries) == ("pending", 1)
    DirectorySyncRun.objects.update(not_before=timezone.now())
    stack.worker()
    runs.sweep()
    wait_until(lambda: DirectorySyncRun.objects.filter(status="success").exists(), LONGEST, "it has run")
    assert Member.objects.count() == 8
