"""Schedules, purges, statistics, the command, and the first source."""

from __future__ import annotations

import logging
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import structlog
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from notifications.models import Notification
from projects import purge, statistics, tasks
from projects.models import (
    ProjectAccessLog,
    ProjectAccessToken,
    ProjectCache,
    ProjectStatusChange,
    ProjectSyncHistory,
    RemoteSource,
    RunStatus,
    SyncType,
)
from projects.sources import enabled_sources
from projects.sync import passage
from projects.sync.apply import apply_one, note_gone
from projects.telling import tell_link_requested
from projects.tests.sync.conftest import synchronise
from projects.tests.sync.peer import HTML, project, source_of
from projects.tests.sync.peer import PeerLibrary as Library

pytestmark = pytest.mark.django_db


def test_the_schedules_exist() -> None:
    rows = {row.name: row for row in PeriodicTask.objects.filter(name__startswith="projects: ")}
    assert {name: row.task for name, row in rows.items()} == {
        "projects: sync": "projects.sync",
        "projects: sweep": "projects.sweep",
        "projects: purge expired cache": "projects.purge_cache",
        "projects: purge expired tokens": "projects.purge_tokens",
    }
    night = rows["projects: purge expired cache"].crontab, rows["projects: purge expired tokens"].crontab
    assert [(row.hour, row.minute) for row in night] == [("2", "0"), ("3", "0")]


def test_the_scheduled_run_takes_every_enabled_source(library: Library, source: RemoteSource) -> None:
    library.have(project(1))
    source_of(library, slug="off", enabled=False)
    source_of(library, slug="broken", base_url=library.url + "/nowhere")
    assert tasks.sync() == {"default": "success", "broken": "failed"}
    assert set(ProjectSyncHistory.objects.values_list("sync_type", flat=True)) == {SyncType.AUTO}


def test_the_first_source_comes_from_the_settings(settings: Any) -> None:
    assert enabled_sources() == []
    settings.REMOTE_API_BASE_URL, settings.REMOTE_API_KEY = "http://127.0.0.1:9", "first-key"
    [made] = enabled_sources()
    assert (made.slug, made.base_url, made.api_key.reveal()) == ("default", "http://127.0.0.1:9", "first-key")
    made.enabled = False
    made.save()
    assert enabled_sources() == [] and RemoteSource.objects.count() == 1


def test_only_what_is_gone_for_seven_days_is_purged(library: Library, source: RemoteSource) -> None:
    now = timezone.now()
    library.have(*(project(number) for number in range(4)))
    synchronise(source)
    library.change(1, status="shipped")
    synchronise(source)
    ProjectCache.objects.update(fetched_at=now - timedelta(days=400))  # a library that is away for ever
    ProjectCache.objects.filter(remote_id="P-1").update(removed_at=now - timedelta(days=7, minutes=1))
    ProjectCache.objects.filter(remote_id="P-2").update(removed_at=now - timedelta(days=6))
    assert purge.purge_cache(now=now) == 1
    assert set(ProjectCache.objects.values_list("remote_id", flat=True)) == {"P-0", "P-2", "P-3"}
    assert ProjectStatusChange.objects.get().project is None, "what happened outlives the copy"


def test_links_and_looks_of_long_ago_are_purged(library: Library, source: RemoteSource) -> None:
    library.have(project(1))
    synchronise(source)
    now, copy = timezone.now(), ProjectCache.objects.get()
    for days in (-1, 6, 8):
        ProjectAccessToken.objects.create(digest=str(days), project=copy, expires_at=now - timedelta(days=days))
    for days in (179, 181):
        ProjectAccessLog.objects.create(at=now - timedelta(days=days), remote_id="P-1", outcome="allowed")
    assert tasks.purge_tokens() == {"links": 1, "looks": 1}
    assert set(ProjectAccessToken.objects.values_list("digest", flat=True)) == {"-1", "6"}


def test_statistics_per_day(source: RemoteSource) -> None:
    today = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    for ago, seconds, status in ((0, 2, "success"), (0, 4, "partial"), (0, 9, "success"), (1, 5, "failed")):
        moment = today - timedelta(days=ago)
        ProjectSyncHistory.objects.create(
            source=source,
            status=status,
            created_at=moment,
            started_at=moment,
            finished_at=moment + timedelta(seconds=seconds),
        )
    ProjectStatusChange.objects.create(remote_id="P-1", title="", at=today)
    with CaptureQueriesContext(connection) as queries:
        days = statistics.per_day(7)
    assert len(queries) == 2 and len(days) == 7
    assert days[-1] == statistics.Day(today.date(), runs=3, changes=1, failures=1, p50=4.0, p95=9.0)
    assert (days[-2].runs, days[-2].failures, days[-2].p50) == (1, 1, 5.0)
    assert (days[0].runs, days[0].p95) == (0, None)


def test_one_project_alone(library: Library, source: RemoteSource) -> None:
    library.have(project(1))
    synchronise(source)
    first = ProjectCache.objects.get()
    now = timezone.now()
    same = apply_one(source, project(1), now=now)
    assert same.fetched_at == now and same.changed_at == first.changed_at
    shipped = apply_one(source, project(1, status="shipped"), now=timezone.now())
    assert (shipped.pk, shipped.status) == (first.pk, "shipped")
    change = ProjectStatusChange.objects.get()
    assert change.run is None and change.notices == 3
    older = apply_one(source, project(1, status="pending"), now=now)
    assert older.status == "shipped", "an answer that was overtaken by a later one changes nothing"
    note_gone(shipped, now=timezone.now())
    assert ProjectCache.objects.get().removed_at == shipped.removed_at is not None
    assert apply_one(source, project(1, status="shipped"), now=timezone.now()).removed_at is None


def test_the_salesman_is_told_once_a_day_that_a_link_is_asked_for(library: Library, source: RemoteSource) -> None:
    library.have(project(1))
    synchronise(source)
    copy = ProjectCache.objects.get()
    asks = {"user_id": "c1", "user_name": "周女士", "access_type": "customer"}
    assert [tell_link_requested(copy, **asks) for _ in range(2)] == [1, 0]
    assert Notification.objects.get().address == "li.mei"
    assert "周女士" in Notification.objects.get().body


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("sync_projects", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(3)))
    assert "3" in command("--dry-run")
    assert not ProjectCache.objects.exists() and not ProjectSyncHistory.objects.exists()
    assert "3" in command("--source", "default")
    assert ProjectCache.objects.count() == 3


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_on_a_terminal_a_bar_moves_and_no_line_of_the_log_goes_through_it(
    library: Library, source: RemoteSource, monkeypatch: pytest.MonkeyPatch, caplog: Any, arguments: list[str]
) -> None:
    monkeypatch.setattr(passage, "WRITE_EVERY", 0.0)  # small pages share a transaction, and with it their progress
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    caplog.set_level(logging.INFO)
    source.page_size = 1
    source.save()
    library.have(*(project(number) for number in range(4)))
    command(*arguments)
    drawn = terminal.getvalue()
    assert all(f"{percent}%" in drawn for percent in (25, 50, 75, 100)), drawn
    assert caplog.records == []
    structlog.get_logger("projects").info("after the bar")
    assert len(caplog.records) == 1


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_the_command_fails_when_a_library_does(library: Library, source: RemoteSource, arguments: list[str]) -> None:
    library.faults[1] = HTML
    with pytest.raises(CommandError):
        command(*arguments)


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_the_command_meets_the_brake(library: Library, source: RemoteSource, arguments: list[str]) -> None:
    library.have(*(project(number) for number in range(10)))
    synchronise(source)
    library.have()
    with pytest.raises(CommandError):
        command(*arguments)
    assert ProjectCache.objects.listed().count() == 10
    command("--force")
    assert ProjectCache.objects.listed().count() == 0


def test_the_command_names_what_there_is(source: RemoteSource) -> None:
    with pytest.raises(CommandError, match="default"):
        command("--source", "defualt")


def test_the_command_without_a_source() -> None:
    with pytest.raises(CommandError, match="REMOTE_API_BASE_URL"):
        command()


def test_a_run_that_nobody_claimed_is_found(library: Library, source: RemoteSource) -> None:
    from projects.sync import runs

    library.have(project(1))
    runs.open_run(source, sync_type=SyncType.MANUAL)
    assert tasks.sweep() == {"closed": 0, "waiting": 1}
    assert tasks.run_pending() == 1
    assert ProjectSyncHistory.objects.get().status == RunStatus.SUCCESS
