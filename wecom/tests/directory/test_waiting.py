"""Runs that wait: hastened by whoever asks for the same, given up, and left alone while their app is disabled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone, translation

from wecom.directory_sync import runs, waiting
from wecom.models import DirectorySyncRun, Member, WeComConfig
from wecom.tests.directory.company import Company
from wecom.tests.directory.conftest import synchronise
from wecom.tests.peers import Peer

pytestmark = pytest.mark.django_db(transaction=True)
BUSY = {"errcode": -1, "errmsg": "busy"}


@pytest.fixture
def waits(company: Company, saved_app: WeComConfig, peer: Peer) -> DirectorySyncRun:
    """A scheduled run over everything between its first attempt and its second, which will succeed."""
    company.have(2)
    company.answer(peer, "department/list", *[BUSY] * 4)
    run = synchronise(saved_app, automatic=True)
    assert run.status == "pending" and run.not_before > timezone.now()
    return run


@pytest.mark.parametrize("sync_type", ["full", "user"])
def test_whoever_asks_for_what_a_waiting_run_reads_gets_it_now(
    waits: DirectorySyncRun, saved_app: WeComConfig, sync_type: str
) -> None:
    user = User.objects.create_user("nora")
    opened = runs.open_run(saved_app, sync_type, force=True, user=user)
    assert opened == waits and opened.force and opened.started_by == user
    assert runs.run_due() == 1
    waits.refresh_from_db()
    assert (waits.status, waits.created, waits.retries) == ("success", 3, 1)


def test_the_command_runs_the_waiting_run(waits: DirectorySyncRun) -> None:
    call_command("sync_directory")
    waits.refresh_from_db()
    assert waits.status == "success" and Member.objects.count() == 2


def test_a_schedule_does_not_hasten_it(waits: DirectorySyncRun, saved_app: WeComConfig) -> None:
    with pytest.raises(runs.AlreadyRunning):
        runs.open_run(saved_app, "full", automatic=True)
    assert runs.run_due() == 0


def test_a_run_that_waits_for_less_than_is_asked_for_excludes_it(saved_app: WeComConfig) -> None:
    later = timezone.now() + timedelta(hours=1)
    run = DirectorySyncRun.objects.create(config=saved_app, sync_type="user", not_before=later)
    with pytest.raises(runs.AlreadyRunning):
        runs.open_run(saved_app, "full")
    assert waiting.give_up(run, "nora")
    assert runs.open_run(saved_app, "full") != run


def test_a_run_that_a_worker_has_is_neither_hastened_nor_given_up(saved_app: WeComConfig) -> None:
    run = DirectorySyncRun.objects.create(config=saved_app, sync_type="user", status="running")
    with pytest.raises(runs.AlreadyRunning):
        runs.open_run(saved_app, "user")
    assert not waiting.run_now(run) and not waiting.give_up(run, "nora")
    run.refresh_from_db()
    assert run.status == "running"


def test_what_is_given_up_says_by_whom_and_keeps_its_reason(waits: DirectorySyncRun) -> None:
    reason = waits.message
    with translation.override("en"):
        assert waiting.give_up(waits, "nora")
    waits.refresh_from_db()
    assert waits.status == "failed" and waits.finished_at
    assert waits.message.startswith("nora gave it up") and reason in waits.message
    assert runs.sweep() == 0


def test_runs_of_a_disabled_app_wait_until_it_is_enabled(company: Company, saved_app: WeComConfig) -> None:
    run: Any = runs.open_run(saved_app, "department")
    WeComConfig.objects.update(enabled=False)
    assert (runs.sweep(), runs.run_due()) == (0, 0)
    WeComConfig.objects.update(enabled=True)
    assert (runs.sweep(), runs.run_due()) == (1, 1)
    run.refresh_from_db()
    assert run.status == "success"
