"""A run from the library to the mirror: what is written, what is not, and how it ends."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.models import Incident, Notification
from projects.errors import AlreadyRunning
from projects.models import (
    ProjectCache,
    ProjectStatusChange,
    ProjectSyncConfig,
    ProjectSyncHistory,
    RemoteSource,
    RunStatus,
    SyncType,
)
from projects.refresh import confirmed_at
from projects.remote import RemoteLibrary
from projects.sync import runs
from projects.sync.apply import apply_one
from projects.tests.sync.conftest import synchronise
from projects.tests.sync.peer import HTML, KEY, project, source_of
from projects.tests.sync.peer import PeerLibrary as Library
from wecom.tests.peers import Close, Half, Hang, Raw, refused_url


def numbers(run: ProjectSyncHistory) -> tuple[int, ...]:
    return (
        run.total_projects,
        run.created_count,
        run.updated_count,
        run.unchanged_count,
        run.failed_count,
        run.removed_count,
    )


def titles() -> dict[str, str]:
    return dict(ProjectCache.objects.listed().values_list("remote_id", "title"))


def confirmations() -> dict[str, datetime]:
    return {copy.remote_id: confirmed_at(copy) for copy in ProjectCache.objects.select_related("source")}


def test_a_first_run_copies_everything(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(5)))
    run = synchronise(source)
    assert (run.status, numbers(run)) == (RunStatus.SUCCESS, (5, 5, 5, 0, 0, 0))
    assert (run.pages_done, run.announced, library.asked) == (3, 5, [1, 2, 3])
    copy = ProjectCache.objects.get(remote_id="P-3")
    assert (copy.type, copy.title, copy.status, copy.phone) == ("sales", "水泵 3", "pending", "13812348888")
    assert copy.extra == {"amount": "3601.50"}
    assert copy.stakeholders[1] == {"role": "salesman", "user_id": "s1", "name": "李梅", "wecom_userid": "li.mei"}
    assert "13812348888" not in copy.document and "zhou@example.com" not in copy.document
    source.refresh_from_db()
    assert source.confirmed_at == run.started_at


def test_a_run_over_an_unchanged_library_writes_no_copy(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(5)))
    synchronise(source)
    before = list(ProjectCache.objects.order_by("pk").values())
    with CaptureQueriesContext(connection) as queries:
        run = synchronise(source)
    assert numbers(run) == (5, 0, 0, 5, 0, 0)
    assert list(ProjectCache.objects.order_by("pk").values()) == before
    assert not [sql for query in queries if "projects_projectcache" in (sql := query["sql"]) and "SELECT" not in sql]
    source.refresh_from_db()
    assert source.confirmed_at == run.started_at


def test_the_order_of_an_items_fields_is_no_change(library: Library, source: RemoteSource) -> None:
    library.have(project(1))
    synchronise(source)
    library.projects["P-1"] = dict(reversed(project(1).items()))
    assert numbers(synchronise(source)) == (1, 0, 0, 1, 0, 0)


def test_only_what_changed_is_written(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(5)))
    synchronise(source)
    library.change(3, title="阀门", amount=7)
    run = synchronise(source)
    assert numbers(run) == (5, 0, 1, 4, 0, 0)
    assert titles()["P-3"] == "阀门"
    written = ProjectCache.objects.filter(changed_at__gte=run.started_at)
    assert [copy.remote_id for copy in written] == ["P-3"]
    assert run.started_at is not None and written[0].created_at < run.started_at
    assert not ProjectStatusChange.objects.exists()


def test_a_status_change_is_recorded_and_told(library: Library, source: RemoteSource) -> None:
    library.have(project(1), project(2))
    synchronise(source)
    library.change(1, status="shipped")
    run = synchronise(source)
    change = ProjectStatusChange.objects.get()
    assert (change.run, change.remote_id, change.old_status, change.new_status) == (run, "P-1", "pending", "shipped")
    told = {(row.channel, row.address) for row in Notification.objects.filter(about=f"project-change:{change.pk}")}
    assert told == {("wechat", "li.mei"), ("sms", "13812348888"), ("email", "zhou@example.com")}
    assert change.notices == 3
    assert all("已发货" in row.body or "Shipped" in row.body for row in Notification.objects.all())


def test_nobody_is_told_when_the_settings_say_so(library: Library, source: RemoteSource) -> None:
    config = ProjectSyncConfig.load()
    config.notify_on_change = False
    config.save()
    library.have(project(1))
    synchronise(source)
    library.change(1, status="shipped")
    synchronise(source)
    assert ProjectStatusChange.objects.get().notices == 0
    assert not Notification.objects.exists()


def test_a_change_whose_message_cannot_be_written_is_not_recorded_either(
    library: Library, source: RemoteSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.have(project(1))
    synchronise(source)
    library.change(1, status="shipped", title="新")

    def fail(*_arguments: object, **_options: object) -> dict[str, int]:
        raise RuntimeError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("projects.telling.announce", fail)
        with pytest.raises(RuntimeError):
            synchronise(source)
    run = ProjectSyncHistory.objects.first()
    assert run is not None and (run.status, run.pages_done) == (RunStatus.FAILED, 0)
    assert ProjectCache.objects.get().status == "pending"
    synchronise(source)
    assert ProjectStatusChange.objects.get().notices == 3


def test_what_the_library_no_longer_lists_is_marked_and_comes_back(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(5)))
    synchronise(source)
    item = library.projects.pop("P-3")
    run = synchronise(source)
    assert (run.status, run.removed_count) == (RunStatus.SUCCESS, 1)
    gone = ProjectCache.objects.get(remote_id="P-3")
    assert gone.removed_at is not None
    assert len(titles()) == 4
    library.projects["P-3"] = item
    assert numbers(synchronise(source)) == (5, 0, 1, 4, 0, 0)
    assert ProjectCache.objects.get(remote_id="P-3").removed_at is None


def test_missing_from_the_list_is_no_proof(library: Library, source: RemoteSource) -> None:
    """Pages shift while they are read: a project of page 1 goes, and the first of page 2 is on page 1 now."""
    library.have(*(project(number) for number in range(6)))
    synchronise(source)
    library.hook = lambda page: library.projects.pop("P-0", None) if page == 2 else None
    library.change(2, title="verschoben")
    run = synchronise(source)
    assert (run.status, run.removed_count) == (RunStatus.SUCCESS, 0)  # P-0 was still there when page 1 was read
    assert titles()["P-2"] == "verschoben", "the one that was skipped was asked for, and is up to date"
    assert synchronise(source).removed_count == 1


def test_a_run_shows_life_before_every_question_for_a_missing_project(
    library: Library, source: RemoteSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.have(*(project(number) for number in range(6)))
    synchronise(source)
    library.have(*(project(number) for number in range(3)))
    leases: list[datetime] = []
    ask = RemoteLibrary.project

    def watched(self: RemoteLibrary, remote_id: str, **options: Any) -> Any:
        run = ProjectSyncHistory.objects.get(status=RunStatus.RUNNING)
        assert run.alive_until is not None
        leases.append(run.alive_until)
        return ask(self, remote_id, **options)

    monkeypatch.setattr(RemoteLibrary, "project", watched)
    assert synchronise(source).removed_count == 3
    assert len(leases) == 3 and leases == sorted(set(leases)), "each was renewed"


def test_a_library_that_is_slow_to_say_what_is_missing_is_given_up(
    library: Library, source: RemoteSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.have(*(project(number) for number in range(6)))
    synchronise(source)
    confirmed = RemoteSource.objects.get().confirmed_at
    library.have(*(project(number) for number in range(3)))
    monkeypatch.setattr("projects.sync.missing.ASKING", 0.0)
    run = synchronise(source)
    assert (run.status, run.removed_count, len(titles())) == (RunStatus.PARTIAL, 0, 6)
    assert RemoteSource.objects.get().confirmed_at == confirmed
    assert Incident.objects.get(resolved_at=None).key == "sync-failed:default"


def test_a_list_that_leaves_out_many_is_not_believed(library: Library, source: RemoteSource) -> None:
    source.most_removed_percent, source.page_size = 100, 100
    source.save()
    library.have(*(project(number) for number in range(40)))
    synchronise(source)
    library.faults[1] = {"projects": [project(0)], "page": 1, "page_size": 100, "total": 1}
    run = synchronise(source)
    assert run.status == RunStatus.PARTIAL and len(titles()) == 40


@pytest.mark.parametrize("force", [False, True])
def test_the_brake(library: Library, source: RemoteSource, force: bool) -> None:
    library.have(*(project(number) for number in range(20)))
    synchronise(source)
    confirmed = source.confirmed_at
    library.have(*(project(number) for number in range(15)))
    run = synchronise(source, force=force)
    source.refresh_from_db()
    if force:
        assert (run.status, run.removed_count, len(titles())) == (RunStatus.SUCCESS, 5, 15)
        return
    assert (run.status, run.removed_count, len(titles())) == (RunStatus.FAILED, 0, 20)
    assert runs.hit_brake(run) and "5" in run.message and "20" in run.message
    assert source.confirmed_at == confirmed
    assert Incident.objects.get(resolved_at=None).key == "sync-brake:default"
    library.have(*(project(number) for number in range(20)))
    synchronise(source)
    assert not Incident.objects.filter(resolved_at=None).exists()


def test_the_brake_lets_a_fifth_and_a_handful_through(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(20)))
    synchronise(source)
    library.have(*(project(number) for number in range(16)))
    assert synchronise(source).removed_count == 4  # a fifth
    library.have(*(project(number) for number in range(13)))
    assert synchronise(source).removed_count == 3  # a handful


def test_an_empty_list_removes_nothing(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(10)))
    synchronise(source)
    library.have()
    assert runs.hit_brake(synchronise(source))
    assert len(titles()) == 10


LIES = {
    "html": HTML,
    "half a body": Half(),
    "closed": Close(),
    "no json": Raw(200, b'{"projects": [{"id": "P-'),
    "not a number": Raw(200, b'{"projects": [{"id": "P-1", "amount": NaN}]}'),
    "too deep": Raw(200, b"[" * 100_000),
    "no list": {"data": []},
    "half a page": {"projects": [project(2)], "page": 2, "page_size": 2, "total": 5},
    "another page": {"projects": [project(0), project(1)], "page": 1, "page_size": 2, "total": 5},
    "a text for a total": {"projects": [project(2), project(3)], "page": 2, "page_size": 2, "total": "5"},
    "401": Raw(401, b""),
    "400": Raw(400, b""),
    "500": Raw(500, b""),
    "redirect": Raw(302, b"", {"Location": "https://example.com/"}),
}


@pytest.mark.parametrize(
    ("lie", "page"),
    [(lie, page) for lie in LIES for page in (1, 2) if (lie, page) != ("another page", 1)],  # of page 1 it is the truth
)
def test_a_library_that_fails_leaves_the_mirror_intact(
    library: Library, source: RemoteSource, lie: str, page: int
) -> None:
    library.have(*(project(number) for number in range(5)))
    synchronise(source)
    before = titles()
    library.change(0, title="neu")
    answer = LIES[lie]
    if page == 1 and isinstance(answer, dict) and "page" in answer:
        answer = {**answer, "page": 1}
    library.faults[page] = answer
    run = synchronise(source)
    assert run.status == (RunStatus.FAILED if page == 1 else RunStatus.PARTIAL)
    assert titles() == (before if page == 1 else {**before, "P-0": "neu"})
    assert run.message and run.finished_at and Incident.objects.get().key == "sync-failed:default"
    library.faults.clear()
    assert synchronise(source).status == RunStatus.SUCCESS
    assert titles() == {**before, "P-0": "neu"}
    assert not Incident.objects.filter(resolved_at=None).exists()


def test_a_library_that_says_nothing_costs_a_page_its_time(library: Library, source: RemoteSource) -> None:
    source.connect_timeout, source.read_timeout = 0.1, 0.3
    source.save()
    library.faults[1] = Hang()
    run = synchronise(source)
    assert run.status == RunStatus.FAILED and run.duration is not None
    assert run.duration < timedelta(seconds=2)


def test_a_library_that_is_down(library: Library, source: RemoteSource) -> None:
    source.base_url = refused_url()
    source.save()
    assert synchronise(source).status == RunStatus.FAILED


def test_the_key_stays_out_of_what_is_written(library: Library, source: RemoteSource) -> None:
    source.api_key = "another-secret-key"
    source.save()
    run = synchronise(source)
    assert run.status == RunStatus.FAILED
    assert "another-secret-key" not in run.message + run.error_detail + Incident.objects.get().detail
    assert library.received[0].headers["Authorization"] == "Bearer another-secret-key" != KEY


def test_a_broken_run_is_continued_and_complete(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(10)))
    library.faults[3] = HTML
    assert synchronise(source).status == RunStatus.PARTIAL
    source.refresh_from_db()
    assert (source.resume_page, source.confirmed_at, len(titles())) == (3, None, 4)
    library.faults.clear()
    library.asked.clear()
    del library.projects["P-1"]
    run = synchronise(source)
    assert library.asked == [3, 4, 5, 1, 2]
    source.refresh_from_db()
    assert (run.status, source.resume_page, source.confirmed_at) == (RunStatus.SUCCESS, 1, run.started_at)
    assert titles().keys() == library.projects.keys()


def test_a_library_that_shrank_before_the_place_to_continue(library: Library, source: RemoteSource) -> None:
    source.resume_page = 9
    source.save()
    library.have(*(project(number) for number in range(3)))
    assert numbers(synchronise(source)) == (3, 3, 3, 0, 0, 0)
    assert library.asked == [9, 1, 2]


@pytest.mark.parametrize("resume_page", [1, 3])
def test_a_bare_array_is_one_page(library: Library, source: RemoteSource, resume_page: int) -> None:
    source.resume_page = resume_page
    source.save()
    library.bare = True
    library.have(*(project(number) for number in range(5)))
    assert numbers(synchronise(source)) == (5, 5, 5, 0, 0, 0)
    assert len(library.asked) == 1
    del library.projects["P-2"]
    assert numbers(synchronise(source)) == (4, 0, 0, 4, 0, 1)


def test_a_library_that_announces_nothing(library: Library, source: RemoteSource) -> None:
    library.silent = True
    library.have(*(project(number) for number in range(5)))
    assert numbers(synchronise(source)) == (5, 5, 5, 0, 0, 0)
    assert library.asked == [1, 2, 3, 4]


def test_unusable_projects_are_counted_with_their_reasons(library: Library, source: RemoteSource) -> None:
    source.page_size = 100
    source.save()
    library.have(project(1), project(2), project(3))
    synchronise(source)
    library.change(2, status="exploded")
    library.projects["P-4"] = {**project(4), "type": "?"}
    run = synchronise(source)
    assert (run.status, numbers(run)) == (RunStatus.SUCCESS, (4, 0, 0, 2, 2, 0))
    assert 'P-2: “status” is "exploded"' in run.error_detail.replace("“", "“") or "exploded" in run.error_detail
    assert "P-4" in run.error_detail
    assert ProjectCache.objects.get(remote_id="P-2").status == "pending", "the last usable copy stays"


def test_a_copy_whose_item_is_unusable_is_not_confirmed(library: Library, source: RemoteSource) -> None:
    library.have(project(1), project(2), project(3))
    synchronise(source)
    before = {copy.remote_id: copy for copy in ProjectCache.objects.all()}
    library.change(2, status="exploded")
    run = synchronise(source)
    assert run.started_at is not None
    assert confirmations() == {"P-1": run.started_at, "P-2": before["P-2"].fetched_at, "P-3": run.started_at}
    noted = ProjectCache.objects.get(remote_id="P-2").unconfirmed_since
    with time_machine.travel(run.started_at + timedelta(minutes=10)):
        old = timedelta(minutes=5)
        assert ProjectCache.objects.expired(timedelta(minutes=11)).count() == 0
        RemoteSource.objects.update(confirmed_at=timezone.now())
        assert [copy.remote_id for copy in ProjectCache.objects.expired(old)] == ["P-2"]
        assert not ProjectCache.objects.expiring(old, within=old).filter(remote_id="P-2").exists()
        assert ProjectCache.objects.expiring(timedelta(hours=1), within=timedelta(hours=2)).count() == 3
    synchronise(source)
    assert ProjectCache.objects.get(remote_id="P-2").unconfirmed_since == noted, "it is written once"
    library.change(2, status="pending")
    run = synchronise(source)
    assert numbers(run) == (3, 0, 0, 3, 0, 0)
    assert set(confirmations().values()) == {run.started_at}
    assert ProjectCache.objects.get(remote_id="P-2").changed_at == before["P-2"].changed_at


def test_a_copy_that_is_usable_again_with_other_content_is_confirmed(library: Library, source: RemoteSource) -> None:
    library.have(project(1))
    synchronise(source)
    library.change(1, status="exploded")
    synchronise(source)
    library.change(1, status="shipped")
    synchronise(source)
    copy = ProjectCache.objects.get()
    assert (copy.status, copy.unconfirmed_since) == ("shipped", None)


def test_a_copy_that_is_usable_again_when_asked_for_alone_is_confirmed(library: Library, source: RemoteSource) -> None:
    library.have(project(1))
    synchronise(source)
    library.change(1, status="exploded")
    synchronise(source)
    now = timezone.now()
    copy = apply_one(source, project(1), now=now)
    assert (copy.fetched_at, copy.unconfirmed_since) == (now, None)


def test_the_reasons_are_bounded(library: Library, source: RemoteSource) -> None:
    source.page_size = 2000
    source.save()
    library.have(*(project(number, title="") for number in range(1000)))
    run = synchronise(source)
    assert run.failed_count == 1000
    assert len(run.error_detail) < 20_000 and "950" in run.error_detail


def test_projects_without_an_id_forbid_removing(library: Library, source: RemoteSource) -> None:
    library.have(project(1), project(2))
    synchronise(source)
    confirmed = RemoteSource.objects.get().confirmed_at
    library.have(project(1))
    library.projects["nameless"] = {"type": "sales", "title": "?"}
    run = synchronise(source)
    assert (run.status, run.removed_count, run.failed_count) == (RunStatus.SUCCESS, 0, 1)
    assert RemoteSource.objects.get().confirmed_at == confirmed


@pytest.mark.parametrize("remote_id", ["P/1", "P\\1", "/", ".", ".."])
def test_an_id_that_no_address_can_hold_is_refused_by_its_name(
    library: Library, source: RemoteSource, remote_id: str
) -> None:
    library.have(project(1), project(2))
    library.projects[remote_id] = project(3, id=remote_id)
    run = synchronise(source)
    assert (run.status, numbers(run)) == (RunStatus.SUCCESS, (3, 2, 2, 0, 1, 0))
    assert run.error_detail.startswith(f"{remote_id}: ")
    source.refresh_from_db()
    assert source.confirmed_at == run.started_at, "all others were looked after"


def test_dots_within_an_id_are_fine(library: Library, source: RemoteSource) -> None:
    library.have(project("1.2"), project("..3"))
    assert numbers(synchronise(source)) == (2, 2, 2, 0, 0, 0)


@pytest.mark.parametrize("remote_id", ["P\t1", "P\u202e1", "P\x001"])
def test_an_id_with_control_characters_is_refused(library: Library, source: RemoteSource, remote_id: str) -> None:
    library.have(project(1, id=remote_id))
    assert numbers(synchronise(source)) == (1, 0, 0, 0, 1, 0)


def test_an_id_of_another_source_is_not_taken_over(library: Library, source: RemoteSource) -> None:
    library.have(project(1))
    synchronise(source)
    neighbour = Library()
    try:
        neighbour.have(project(1, title="gestohlen"), project(2))
        run = synchronise(source_of(neighbour, slug="other"))
    finally:
        neighbour.close()
    assert numbers(run) == (2, 1, 1, 0, 1, 0)
    assert "P-1" in run.error_detail
    assert ProjectCache.objects.get(remote_id="P-1").source == source and titles()["P-1"] == "水泵 1"


def test_the_same_project_twice_on_a_page(library: Library, source: RemoteSource) -> None:
    library.faults[1] = [project(1), project(2), project(1, title="zuletzt")]
    assert numbers(synchronise(source)) == (2, 2, 2, 0, 0, 0)
    assert titles()["P-1"] == "zuletzt"


def test_only_some_types(library: Library, source: RemoteSource) -> None:
    library.have(project(1), project(2, type="presale"), project(3, type="aftersales"))
    synchronise(source)
    source.refresh_from_db()
    confirmed = source.confirmed_at
    library.have(project(1, title="neu"), project(3, type="aftersales", title="neu"))
    run = synchronise(source, types=["sales", "presale"])
    assert (run.project_types, numbers(run)) == (["presale", "sales"], (1, 0, 1, 0, 0, 1))
    assert library.received[-1].endpoint.startswith("/projects")
    assert titles() == {"P-1": "neu", "P-3": "水泵 3"}
    source.refresh_from_db()
    assert source.confirmed_at == confirmed, "nobody looked after the after-sales projects"


def test_the_settings_limit_the_types(library: Library, source: RemoteSource) -> None:
    config = ProjectSyncConfig.load()
    config.sync_types = ["sales"]
    config.save()
    library.have(project(1), project(2, type="presale"))
    run = synchronise(source)
    assert titles().keys() == {"P-1"}
    source.refresh_from_db()
    assert source.confirmed_at == run.started_at, "there is no copy of another type"


def test_settings_that_want_fewer_types_leave_the_others_unconfirmed(library: Library, source: RemoteSource) -> None:
    library.have(project(1), project(2, type="presale"))
    first = synchronise(source)
    fetched = ProjectCache.objects.get(remote_id="P-2").fetched_at
    config = ProjectSyncConfig.load()
    config.sync_types = ["sales"]
    config.save()
    run = synchronise(source)
    source.refresh_from_db()
    assert source.confirmed_at == run.started_at != first.started_at
    assert confirmations() == {"P-1": run.started_at, "P-2": fetched}
    config.sync_types = ["sales", "presale"]
    config.save()
    synchronise(source, types=["sales"])
    source.refresh_from_db()
    assert source.confirmed_at == run.started_at, "presale is wanted again, and nobody has looked"
    run = synchronise(source)
    assert numbers(run) == (2, 0, 0, 2, 0, 0)
    assert set(confirmations().values()) == {run.started_at}


def test_a_source_with_fewer_types_leaves_the_others_unconfirmed(library: Library, source: RemoteSource) -> None:
    library.have(project(1), project(2, type="presale"))
    synchronise(source)
    source.types = ["sales"]
    source.save()
    run = synchronise(source)
    assert confirmations()["P-1"] == run.started_at
    assert ProjectCache.objects.get(remote_id="P-2").unconfirmed_since is not None
    assert ProjectCache.objects.listed().count() == 2, "nobody said that it is gone"


def test_a_source_without_the_asked_types_is_left_alone(library: Library, source: RemoteSource) -> None:
    source.types = ["sales"]
    source.save()
    run = synchronise(source, types=["presale"])
    assert (run.status, library.asked) == (RunStatus.SUCCESS, [])


def test_a_project_whose_type_changed_to_one_that_is_not_synchronised(library: Library, source: RemoteSource) -> None:
    library.have(project(1), project(2))
    synchronise(source)
    library.change(1, type="presale")
    run = synchronise(source, types=["sales"])
    assert (run.status, run.removed_count) == (RunStatus.SUCCESS, 0)
    assert ProjectCache.objects.get(remote_id="P-1").type == "presale"


def test_other_names_for_the_fields(library: Library, source: RemoteSource) -> None:
    library.faults[1] = [{"no": 7, "kind": "SALES", "name": " 水泵 ", "state": "shipped", "title": "extra"}]
    source.field_map = {"id": "no", "type": "kind", "title": "name", "status": "state"}
    source.save()
    synchronise(source)
    copy = ProjectCache.objects.get()
    assert (copy.remote_id, copy.type, copy.title, copy.status) == ("7", "sales", "水泵", "shipped")
    source.field_map = {**source.field_map, "customer_name": "title"}
    source.save()
    assert numbers(synchronise(source)) == (1, 0, 1, 0, 0, 0), "the same items mean something else now"
    assert ProjectCache.objects.get().customer_name == "extra"


def test_what_no_database_takes_is_cleaned(library: Library, source: RemoteSource) -> None:
    item = rb'{"id": "P-1", "type": "sales", "title": "a\u0000b", "status": "pending", "x\u0000": "\ud800", "n": 1e999}'
    library.faults[1] = Raw(200, b"[" + item + b"]")
    run = synchronise(source)
    assert numbers(run) == (1, 1, 1, 0, 0, 0)
    copy = ProjectCache.objects.get()
    assert (copy.title, copy.extra) == ("ab", {"x": "?", "n": None})
    assert numbers(synchronise(source)) == (1, 0, 0, 1, 0, 0)


def test_a_library_that_always_gives_the_same_page(library: Library, source: RemoteSource) -> None:
    library.faults = {page: {"projects": [project(0), project(1)]} for page in range(1, 100)}
    run = synchronise(source)
    assert (run.status, library.asked) == (RunStatus.PARTIAL, [1, 2])


def test_a_pages_queries_do_not_grow_with_it(library: Library, source: RemoteSource) -> None:
    def queries(size: int, status: str, changed: int) -> int:
        source.page_size = size
        source.save()
        for number in range(changed):
            library.change(number, status=status)
        with CaptureQueriesContext(connection) as captured:
            assert synchronise(source).updated_count == changed
        return len(captured)

    library.have(*(project(number) for number in range(400)))
    synchronise(source)
    one_page = queries(400, "shipped", 8)
    assert one_page == queries(400, "resolved", 4), "nor with what has changed"
    ten_pages, twenty_pages = queries(40, "completed", 8), queries(20, "shipped", 8)
    assert (ten_pages - one_page) / 9 == (twenty_pages - ten_pages) / 10


def test_a_second_run_is_refused_while_one_is_open(library: Library, source: RemoteSource) -> None:
    opened = runs.open_run(source, sync_type=SyncType.MANUAL)
    with pytest.raises(AlreadyRunning) as refused:
        runs.open_run(source, sync_type=SyncType.AUTO)
    assert refused.value.run == opened
    runs.run(opened)
    assert synchronise(source).status == RunStatus.SUCCESS


def test_a_dead_workers_run_is_closed_and_continued(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(6)))
    dead = ProjectSyncHistory.objects.create(
        source=source,
        status=RunStatus.RUNNING,
        started_at=timezone.now(),
        claim=uuid.uuid4(),
        alive_until=timezone.now() + timedelta(seconds=50),
        pages_done=2,
        announced=6,
    )
    with pytest.raises(AlreadyRunning):
        synchronise(source)
    assert runs.close_dead() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        run = synchronise(source)
    dead.refresh_from_db()
    assert (dead.status, dead.finished_at is None) == (RunStatus.PARTIAL, False)
    assert library.asked == [3, 1, 2]
    assert (run.status, len(titles())) == (RunStatus.SUCCESS, 6)


@pytest.mark.parametrize(("first", "done", "resume"), [(1, 0, 1), (1, 2, 3), (3, 1, 1), (2, 2, 1), (3, 2, 2)])
def test_where_a_dead_workers_run_is_continued(source: RemoteSource, first: int, done: int, resume: int) -> None:
    dead = ProjectSyncHistory.objects.create(
        source=source,
        status=RunStatus.RUNNING,
        claim=uuid.uuid4(),
        alive_until=timezone.now() - timedelta(seconds=1),
        first_page=first,
        pages_done=done,
        announced=5,
    )
    assert runs.close_dead(source) == 1
    dead.refresh_from_db()
    source.refresh_from_db()
    assert dead.status == (RunStatus.PARTIAL if done else RunStatus.FAILED)
    assert source.resume_page == resume


def test_a_dead_workers_run_is_told_until_the_next_one_succeeds(library: Library, source: RemoteSource) -> None:
    ProjectSyncHistory.objects.create(
        source=source,
        status=RunStatus.RUNNING,
        claim=uuid.uuid4(),
        alive_until=timezone.now() - timedelta(seconds=1),
    )
    assert runs.close_dead() == 1
    incident = Incident.objects.get(resolved_at=None)
    assert (incident.key, incident.detail) == ("sync-failed:default", ProjectSyncHistory.objects.get().message)
    assert incident.detail and incident.remedy
    assert synchronise(source).status == RunStatus.SUCCESS
    assert not Incident.objects.filter(resolved_at=None).exists()


def test_a_worker_that_wakes_up_after_its_run_was_closed_writes_nothing(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(6)))

    def be_declared_dead(run: ProjectSyncHistory) -> None:
        with time_machine.travel(timezone.now() + timedelta(minutes=2)):
            assert runs.close_dead() == (run.pages_done == 1)

    run = runs.run(runs.open_run(source, sync_type=SyncType.MANUAL), tell=be_declared_dead)
    assert (run.status, run.pages_done, len(titles())) == (RunStatus.FAILED, 0, 0)


def test_a_dry_run_writes_nothing_and_says_the_same(library: Library, source: RemoteSource) -> None:
    library.have(*(project(number) for number in range(5)))
    synchronise(source)
    library.change(0, title="neu", status="shipped")
    del library.projects["P-1"]
    library.projects["P-9"] = project(9)
    before = list(ProjectCache.objects.order_by("pk").values())
    runs_before = ProjectSyncHistory.objects.count()
    tried = runs.dry_run(source)
    assert list(ProjectCache.objects.order_by("pk").values()) == before
    assert ProjectSyncHistory.objects.count() == runs_before and not ProjectStatusChange.objects.exists()
    assert numbers(tried) == numbers(synchronise(source)) == (5, 1, 2, 3, 0, 1)
