"""How runs begin and end: one at a time, patient with WeCom, rolled back as a whole, repeated when that may help."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from wecom import tasks
from wecom.budgets import Budget, pause_key
from wecom.directory_sync import places, progress, runs
from wecom.management.commands import sync_directory
from wecom.models import Department, DirectorySyncRun, DirectoryType, Member, WeComConfig
from wecom.redis import redis
from wecom.signals import directory_run_ended
from wecom.tests.directory.company import ROOT, Company
from wecom.tests.directory.conftest import synchronise
from wecom.tests.peers import Close, Half, Peer, Raw
from wecom.tokens import app_key

pytestmark = pytest.mark.django_db(transaction=True)
BUSY = {"errcode": -1, "errmsg": "busy"}


@pytest.fixture(autouse=True)
def troubles() -> Iterator[set[tuple[str, str]]]:
    """What was told of runs that ended badly (outcome and type), since one ended well."""
    heard: set[tuple[str, str]] = set()

    def hear(run: DirectorySyncRun, outcome: str, **_: Any) -> None:
        if outcome == "done":
            heard.clear()
        else:
            heard.add((outcome, run.sync_type))

    directory_run_ended.connect(hear)
    yield heard
    directory_run_ended.disconnect(hear)


@pytest.mark.parametrize(
    "trouble",
    [[BUSY] * 3, [Close()] * 2, [Half()], [Raw(502)], [{"errcode": 42001}], [{"errcode": 0}], [{"userlist": "x"}]],
    ids=["busy", "closed", "half", "502", "token expired", "no list", "not a list"],
)
def test_what_passes_is_waited_for(company: Company, saved_app: WeComConfig, peer: Peer, trouble: list[Any]) -> None:
    company.have(3)
    company.answer(peer, "user/list", *trouble)
    run = synchronise(saved_app)
    assert (run.status, run.created) == ("success", 4)


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (BUSY, "-1"),
        ({"errcode": 60020, "errmsg": "from ip: 203.0.113.7"}, "203.0.113.7"),
        ({"errcode": 48002}, "48002"),
    ],
)
def test_what_stays_ends_the_run_and_changes_nothing(
    company: Company,
    saved_app: WeComConfig,
    peer: Peer,
    trouble: dict[str, Any],
    word: str,
    troubles: set[tuple[str, str]],
) -> None:
    company.have(3)
    synchronise(saved_app)
    company.department(2)
    company.members["u000"]["name"] = "neu"
    peer.answer("user/list", trouble)
    run = synchronise(saved_app)
    assert run.status == "failed" and word in run.error_detail and run.message
    assert Department.objects.count() == 1 and not Member.objects.filter(name="neu").exists()
    assert troubles == {("failed", "full")}
    company.answer(peer, "user/list")
    assert synchronise(saved_app).updated == 1
    assert troubles == set()


def test_the_brake_is_told_and_ends_with_a_run_that_passes(
    company: Company, saved_app: WeComConfig, troubles: set[tuple[str, str]]
) -> None:
    company.have(15)
    synchronise(saved_app)
    company.members.clear()
    synchronise(saved_app, "user")
    assert troubles == {("braked", "user")}
    synchronise(saved_app, "user", force=True)
    assert troubles == set()


def test_what_breaks_while_it_is_written_rolls_everything_back(
    company: Company, saved_app: WeComConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.have(3)
    with monkeypatch.context() as broken:
        broken.setattr(places, "replace", lambda *_args, **_kwargs: WeComConfig.objects.create(slug=saved_app.slug))
        with pytest.raises(IntegrityError):
            synchronise(saved_app)
    run = DirectorySyncRun.objects.get()
    assert run.status == "failed" and "IntegrityError" in run.message and run.created == 0
    assert not Department.objects.exists() and not Member.objects.exists()
    assert synchronise(saved_app).created == 4


def test_a_block_is_waited_for(company: Company, saved_app: WeComConfig, peer: Peer) -> None:
    company.department(2)
    company.have(2, ROOT, 2)
    key = pause_key(app_key(saved_app), "user/list")
    company.answer(peer, "user/list", {"errcode": 45009})
    opened = runs.open_run(saved_app, "user")
    looks: list[float] = []

    def tell(run: DirectorySyncRun) -> None:
        if redis().pttl(key) > 0:
            looks.append(redis().pttl(key))
            redis().pexpire(key, 5)  # the minute is over

    run = runs.run(opened, tell=tell)
    assert (run.status, run.created) == ("success", 2) and looks[0] > 50_000
    assert len(peer.calls("user/list")) == 3


def test_a_block_that_lasts_longer_than_a_minute_gives_the_worker_back(
    company: Company, saved_app: WeComConfig, peer: Peer
) -> None:
    company.have(2)
    company.answer(peer, "user/list", *[{"errcode": 45009}] * 2)
    key = pause_key(app_key(saved_app), "user/list")
    opened = runs.open_run(saved_app, "user")

    def tell(_run: DirectorySyncRun) -> None:
        if 0 < redis().pttl(key) <= 60_000:
            redis().pexpire(key, 5)  # the minute is over

    run = runs.run(opened, tell=tell)
    assert run.status == "pending"
    assert timedelta(minutes=58) < run.not_before - timezone.now() < timedelta(minutes=61)
    assert len(peer.calls("user/list")) == 2


def test_a_call_that_is_refused_three_times_in_a_row_is_left_for_later(
    company: Company, saved_app: WeComConfig, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "WRITE_EVERY", 0.01)
    company.have(2)
    company.answer(peer, "user/list", *[{"errcode": 45033}] * 3)
    key = pause_key(app_key(saved_app), "user/list")
    run = runs.run(runs.open_run(saved_app, "user"), tell=lambda _run: redis().delete(key))
    assert run.status == "pending" and run.message
    assert run.not_before - timezone.now() > timedelta(minutes=2)
    assert len(peer.calls("user/list")) == 3


def test_a_long_block_gives_the_worker_back(company: Company, saved_app: WeComConfig, peer: Peer) -> None:
    company.have(2)
    Budget(app_key(saved_app)).pause("user/list", 3600)
    run = synchronise(saved_app)
    assert run.status == "pending" and run.retries == 0 and run.message
    assert timedelta(minutes=58) < run.not_before - timezone.now() < timedelta(minutes=61)
    assert runs.run_due() == 0 and runs.sweep() == 0
    with pytest.raises(runs.AlreadyRunning):
        runs.open_run(saved_app, "full", automatic=True)
    redis().delete(pause_key(app_key(saved_app), "user/list"))
    DirectorySyncRun.objects.update(not_before=timezone.now())
    assert runs.sweep() == 1 and runs.run_due() == 1
    run.refresh_from_db()
    assert (run.status, run.created) == ("success", 3)


def test_a_scheduled_run_is_tried_again_three_times(
    company: Company, saved_app: WeComConfig, peer: Peer, troubles: set[tuple[str, str]]
) -> None:
    peer.answer("department/list", BUSY)
    run = synchronise(saved_app, automatic=True)
    waits = []
    while run.status == "pending":
        waits.append(round((run.not_before - timezone.now()).total_seconds() / 60))
        assert runs.run_due() == 0 and troubles == set()
        DirectorySyncRun.objects.update(not_before=timezone.now())
        assert runs.run_due() == 1
        run.refresh_from_db()
    assert (waits, run.retries, run.status) == ([5, 15, 45], 3, "failed")
    assert troubles == {("failed", "full")}


@pytest.mark.parametrize(("errcode", "automatic"), [(48002, True), (-1, False)])
def test_what_is_not_worth_it_or_a_persons_is_not_repeated(
    company: Company, saved_app: WeComConfig, peer: Peer, errcode: int, automatic: bool
) -> None:
    peer.answer("department/list", {"errcode": errcode})
    assert synchronise(saved_app, automatic=automatic).status == "failed"


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("user", "user", False),
        ("user", "department", True),
        ("full", "user", False),
        ("department", "full", False),
    ],
)
def test_which_runs_exclude_each_other(saved_app: WeComConfig, first: str, second: str, together: bool) -> None:
    opened = runs.open_run(saved_app, first)
    if together:
        runs.open_run(saved_app, second)
    else:
        with pytest.raises(runs.AlreadyRunning) as busy:
            runs.open_run(saved_app, second)
        assert busy.value.run == opened
    other = WeComConfig.objects.create(slug="other", corp_id="wwother", agent_id=1, secret="s", name="Other")
    runs.open_run(other, second)


def test_of_many_that_open_one_wins(saved_app: WeComConfig) -> None:
    start = threading.Barrier(6)

    def open_one(number: int) -> bool:
        try:
            start.wait(10)
            runs.open_run(saved_app, "full" if number % 2 else "user")
        except runs.AlreadyRunning:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(open_one, range(6))) == 1


def test_the_run_of_a_dead_worker_is_closed_or_repeated(
    company: Company, saved_app: WeComConfig, troubles: set[tuple[str, str]]
) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    for automatic, sync_type in ((True, "user"), (False, "department")):
        DirectorySyncRun.objects.create(
            config=saved_app, sync_type=sync_type, status="running", automatic=automatic, alive_until=long_ago
        )
    tasks.sweep()
    found = dict(DirectorySyncRun.objects.values_list("sync_type", "status"))
    assert found == {"user": "pending", "department": "failed"}
    assert troubles == {("failed", "department")}
    repeated = DirectorySyncRun.objects.get(sync_type="user")
    assert repeated.retries == 1 and repeated.not_before > timezone.now()


def test_a_run_that_was_given_up_writes_nothing_any_more(
    company: Company, saved_app: WeComConfig, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.have(2)

    def slow(request: Any) -> dict[str, Any]:
        DirectorySyncRun.objects.update(alive_until=timezone.now() - timedelta(seconds=1))
        assert runs.close_dead() == 1
        connection.close()
        return company.user_list(request)

    company.answer(peer, "user/list", slow)
    run = synchronise(saved_app)
    assert run.status == "failed" and not Member.objects.exists()


def test_progress_is_seen_from_outside(
    company: Company, saved_app: WeComConfig, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "WRITE_EVERY", 0.0)
    for number in (2, 3, 4):
        company.department(number)
    company.have(5)
    seen = []

    def look(request: Any) -> dict[str, Any]:
        run = DirectorySyncRun.objects.get()
        seen.append((run.phase, run.calls_done, run.calls_expected, run.fetched))
        left = progress.eta(run)
        assert left is not None and timedelta(0) < left < timedelta(minutes=1)
        connection.close()
        return company.user_list(request)

    peer.answer("user/list", look)
    run = synchronise(saved_app, "user")
    assert seen == [("user", 1, 5, 0), ("user", 2, 5, 0), ("user", 3, 5, 5), ("user", 4, 5, 5)]
    assert progress.eta(run) is None


def test_the_scheduled_task_reads_the_default_app(company: Company, saved_app: WeComConfig) -> None:
    company.have(2)
    assert tasks.sync_directory() == {saved_app.slug: "success"}
    run = DirectorySyncRun.objects.get()
    assert run.automatic and run.sync_type == DirectoryType.FULL
    runs.open_run(saved_app, "user")
    assert tasks.sync_directory() == {saved_app.slug: "pending"}


def test_the_scheduled_task_reads_one_app_of_each_company(company: Company, saved_app: WeComConfig) -> None:
    def another(slug: str, corp_id: str, **fields: Any) -> WeComConfig:
        return WeComConfig.objects.create(
            slug=slug, name=slug, corp_id=corp_id, agent_id=2, secret=saved_app.secret, **fields
        )

    company.have(2)
    another("same-company", saved_app.corp_id)
    another("off", "wwsubsidiary", enabled=False)
    barred = another("barred", "wwsubsidiary")
    barred.capabilities.create(capability="directory", ok=False, errcode=48002, checked_at=timezone.now())
    another("reads", "wwsubsidiary")
    another("late", "wwsubsidiary")
    assert tasks.sync_directory() == {saved_app.slug: "success", "reads": "success"}
    assert tasks.sync_directory(app="same-company") == {"same-company": "success"}
    assert tasks.sync_directory(app="off") == tasks.sync_directory(app="nobody") == {}
    assert DirectorySyncRun.objects.count() == 3


def test_the_command(company: Company, saved_app: WeComConfig, capsys: pytest.CaptureFixture[str]) -> None:
    company.have(12)
    call_command("sync_directory", "--dry-run")
    assert "姓名u001 (u001)" in capsys.readouterr().out and not Member.objects.exists()
    call_command("sync_directory", "--type", "department")
    call_command("sync_directory", "--type", "user", "--app", saved_app.slug)
    assert Member.objects.count() == 12
    company.members.clear()
    company.member("last")
    for arguments in (["--dry-run"], ["--type", "user"], ["--app", "nobody"]):
        with pytest.raises(CommandError):
            call_command("sync_directory", *arguments)
    with translation.override("en"):
        call_command("sync_directory", "--dry-run", "--force")  # without the brake, as the run that it tries out
    assert "12 gone" in capsys.readouterr().out and Member.objects.current().count() == 12
    call_command("sync_directory", "--force")
    assert Member.objects.current().get().userid == "last"
    runs.open_run(saved_app, "full")
    with pytest.raises(CommandError):
        call_command("sync_directory")


def test_off_a_terminal_the_command_tells_in_lines_how_far_it_is(
    company: Company,
    saved_app: WeComConfig,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    settings.LANGUAGE_CODE = "en"  # it is told from a thread of its own
    company.have(2)
    call_command("sync_directory", "--dry-run")
    assert capsys.readouterr().err == ""  # nobody needs to be told what lasts a moment
    monkeypatch.setattr(sync_directory, "TOLD_EVERY", 0.0)
    call_command("sync_directory")
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d+ of \d+ calls, \d+ entries read\.", lines[-1])
