"""Synchronising over REST, against a real library."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.testing.people import client_of, staff
from notifications.models import Incident
from projects.models import ProjectCache, ProjectStatusChange, ProjectSyncHistory, RemoteSource, RunStatus, SyncType
from projects.sync import runs
from projects.tests.staff import copied, listing, project, source_at
from wecom.tests.peers import Close, Peer, Raw

pytestmark = pytest.mark.django_db

SYNC = "projects.sync_remotesource"
RESULT = {"success", "total", "updated", "unchanged", "failed", "sync_time", "duration", "changes"}
ENTRY = {
    "sync_time",
    "sync_type",
    "total_projects",
    "updated_count",
    "unchanged_count",
    "failed_count",
    "duration",
    "status",
    "message",
    "error_detail",
}
WHEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def start(*, language: str = "en", **body: Any) -> Any:
    return client_of(staff(SYNC), language).post("/api/projects/sync", body)


def test_the_answer_is_what_the_run_did(source: RemoteSource, library: Peer):
    for number in (1, 2):
        copied(source, project(number))
    library.answer("/projects", listing(project(1, status="shipped"), project(2), project(3)))
    answer = start()
    assert answer.status_code == 200
    result = answer.json()
    assert set(result) == RESULT
    assert (result["success"], result["total"], result["updated"], result["unchanged"]) == (True, 3, 2, 1)
    assert WHEN.fullmatch(result["sync_time"])
    assert re.fullmatch(r"\d+\.\d seconds", result["duration"])
    assert result["changes"] == [
        {"project_id": "P-1", "old_status": "pending", "new_status": "shipped", "notified": True}
    ]


def test_a_change_of_which_nobody_was_told_says_so(source: RemoteSource, library: Peer):
    copied(source, project(1, stakeholders=[]))
    library.answer("/projects", listing(project(1, status="shipped", stakeholders=[])))
    assert start().json()["changes"][0]["notified"] is False


@pytest.mark.parametrize("sync_type", ["manual", "full"])
def test_both_types_compare_the_whole_list(source: RemoteSource, sync_type: str):
    assert start(sync_type=sync_type).json()["success"]
    assert ProjectSyncHistory.objects.get().sync_type == SyncType.MANUAL


def test_only_the_types_asked_for(source: RemoteSource, library: Peer):
    start(project_types=["sales", "presale"])
    assert library.calls("/projects")[0].query["types"] == "presale,sales"


def test_several_libraries_have_a_run_each_and_their_numbers_are_added(source: RemoteSource, library: Peer):
    other = Peer()
    other.answer("/projects", listing(project(7), project(8)))
    source_at(other, "other")
    try:
        assert start().json()["total"] == 3
    finally:
        other.close()
    assert ProjectSyncHistory.objects.count() == 2


def test_without_waiting_a_worker_is_given_the_run(
    source: RemoteSource, library: Peer, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
):
    woken: list[str] = []
    monkeypatch.setattr("projects.sync_request.wake", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        answer = start(wait=False)
    run = ProjectSyncHistory.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"run_id": run.pk, "run_ids": [run.pk]})
    assert (run.status, woken, library.calls("/projects")) == (RunStatus.PENDING, ["projects.run_pending"], [])


def test_a_run_that_is_open_is_named(source: RemoteSource):
    run = runs.open_run(source, sync_type=SyncType.AUTO)
    answer = start()
    assert (answer.status_code, answer.json()["code"], answer.json()["run_id"]) == (409, "already_running", run.pk)


def test_if_one_of_several_is_busy_none_is_started(source: RemoteSource, library: Peer):
    last = source_at(library, "zulu")
    run = runs.open_run(last, sync_type=SyncType.AUTO)
    assert start().json()["run_id"] == run.pk
    assert list(ProjectSyncHistory.objects.all()) == [run]


@pytest.mark.parametrize("trouble", [Close(), Raw(500), Raw(200, b"<html>")])
def test_a_library_that_is_away_or_lies_is_a_bad_gateway(source: RemoteSource, library: Peer, trouble: Any):
    library.answer("/projects", trouble)
    answer = start()
    body = answer.json()
    assert (answer.status_code, body["code"], body["success"]) == (502, "remote_failed", False)
    assert body["detail"] == body["message"] == ProjectSyncHistory.objects.get().message
    assert set(body) >= RESULT


def test_a_run_that_broke_off_keeps_its_pages_and_says_so(source: RemoteSource, library: Peer):
    source.page_size = 1
    source.save()
    first = {**listing(project(1)), "page_size": 1, "total": 2}
    library.answer("/projects", first, Close())
    answer = start()
    body = answer.json()
    assert (answer.status_code, body["success"], body["updated"]) == (200, False, 1)
    assert body["message"]
    assert ProjectCache.objects.count() == 1


def test_the_brake_is_a_conflict_until_it_is_forced(source: RemoteSource, library: Peer):
    for number in range(1, 11):
        copied(source, project(number))
    answer = start()
    assert (answer.status_code, answer.json()["code"]) == (409, "brake")
    assert answer.json()["run_ids"] == [ProjectSyncHistory.objects.get().pk]
    assert ProjectCache.objects.filter(removed_at=None).count() == 10
    assert Incident.objects.filter(key="sync-brake:main", resolved_at=None).exists()
    forced = client_of(staff(SYNC, name="mara")).post("/api/projects/sync", {"force": True})
    assert forced.json()["success"]
    assert ProjectCache.objects.filter(removed_at=None).count() == 1


def test_without_a_library_there_is_nothing_to_ask(db: None):
    answer = start()
    assert (answer.status_code, answer.json()["code"]) == (409, "no_source")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sync_type": "auto"}, "sync_type"),
        ({"sync_type": 5}, "sync_type"),
        ({"force": "yes"}, "force"),
        ({"force": 1}, "force"),
        ({"wait": "false"}, "wait"),
        ({"wait": None}, "wait"),
        ({"project_types": "sales"}, "project_types"),
        ({"project_types": []}, "project_types"),
        ({"project_types": ["sales", "rental"]}, "project_types"),
        ({"project_types": ["sales", "sales"]}, "project_types"),
        ({"projectTypes": ["sales"]}, "projectTypes"),
        ([], "non_field_errors"),
    ],
)
def test_bad_input_names_its_field_and_starts_nothing(source: RemoteSource, library: Peer, body: Any, field: str):
    answer = client_of(staff(SYNC)).post("/api/projects/sync", body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not ProjectSyncHistory.objects.exists()
    assert library.received == []


def test_types_that_no_library_has_are_refused(source: RemoteSource):
    source.types = ["sales"]
    source.save()
    answer = start(project_types=["presale"])
    assert (answer.status_code, list(answer.json())) == (400, ["project_types"])


# --- looking ---------------------------------------------------------------------------------------------------------


def test_progress_of_a_run(source: RemoteSource):
    run = runs.open_run(source, sync_type=SyncType.MANUAL)
    ProjectSyncHistory.objects.filter(pk=run.pk).update(
        status=RunStatus.RUNNING,
        started_at=timezone.now() - timedelta(seconds=2),
        alive_until=timezone.now() + timedelta(minutes=1),
        announced=200,
        total_projects=50,
        pages_done=1,
    )
    answer = client_of(staff(SYNC)).get(f"/api/projects/sync/{run.pk}").json()
    assert answer["run_id"] == run.pk
    assert (answer["status"], answer["percent"], answer["total"], answer["announced"]) == ("running", 25, 50, 200)
    assert (answer["source"], answer["finished_at"]) == ("main", None)


def test_an_unknown_run_is_not_found():
    assert client_of(staff(SYNC)).get("/api/projects/sync/5").status_code == 404


def run_of(source: RemoteSource, **fields: Any) -> ProjectSyncHistory:
    return ProjectSyncHistory.objects.create(source=source, **{"status": RunStatus.SUCCESS, **fields})


def test_history_newest_first_with_pages(source: RemoteSource):
    now = timezone.now()
    for number in range(5):
        run_of(
            source,
            created_at=now - timedelta(hours=number),
            started_at=now - timedelta(hours=number),
            finished_at=now - timedelta(hours=number) + timedelta(seconds=5.6),
            total_projects=number,
        )
    body = client_of(staff(SYNC)).get("/api/projects/sync-history?page=2&page_size=2").json()
    assert set(body) == {"history", "pagination"}
    assert body["pagination"] == {"page": 2, "page_size": 2, "total": 5}
    assert [entry["total_projects"] for entry in body["history"]] == [2, 3]
    assert set(body["history"][0]) == ENTRY
    assert body["history"][0]["duration"] == "5.6 seconds"
    assert WHEN.fullmatch(body["history"][0]["sync_time"])


def test_a_page_beyond_the_last_is_empty(source: RemoteSource):
    body = client_of(staff(SYNC)).get("/api/projects/sync-history?page=9").json()
    assert body == {"history": [], "pagination": {"page": 9, "page_size": 20, "total": 0}}


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=0", "page_size=201", "page=99999999999999999999"])
def test_a_page_that_cannot_be_is_refused(query: str):
    answer = client_of(staff(SYNC)).get(f"/api/projects/sync-history?{query}")
    assert (answer.status_code, list(answer.json())) == (400, [query.split("=", maxsplit=1)[0]])


def test_history_costs_the_same_whatever_it_lists(source: RemoteSource, django_assert_num_queries: Any):
    client = client_of(staff(SYNC))
    client.get("/api/projects/sync-history")  # makes the row of the time display
    with django_assert_num_queries(7):
        client.get("/api/projects/sync-history?page_size=200")
    for _ in range(30):
        run_of(source)
    with django_assert_num_queries(7):
        assert len(client.get("/api/projects/sync-history?page_size=200").json()["history"]) == 30


def test_statistics_per_day(source: RemoteSource):
    now = timezone.now()
    run_of(source, started_at=now, finished_at=now + timedelta(seconds=4))
    run_of(source, status=RunStatus.FAILED, started_at=now, finished_at=now + timedelta(seconds=2))
    ProjectStatusChange.objects.create(
        remote_id="P-1", title="t", type="sales", old_status="pending", new_status="shipped"
    )
    days = client_of(staff(SYNC)).get("/api/projects/sync-statistics?days=3").json()["days"]
    assert len(days) == 3
    today = days[-1]
    assert today == {
        "day": timezone.localdate().isoformat(),
        "runs": 2,
        "changes": 1,
        "failures": 1,
        "p50": 2.0,
        "p95": 4.0,
    }
    assert days[0] == {**days[0], "runs": 0, "changes": 0, "failures": 0, "p50": None, "p95": None}


@pytest.mark.parametrize("days", ["0", "367", "x"])
def test_statistics_of_an_impossible_time_are_refused(days: str):
    assert client_of(staff(SYNC)).get(f"/api/projects/sync-statistics?days={days}").status_code == 400


# --- rights ----------------------------------------------------------------------------------------------------------

PLACES = [
    ("post", "/api/projects/sync", [SYNC], 409),
    ("get", "/api/projects/sync/5", [SYNC, "projects.view_projectsynchistory"], 404),
    ("get", "/api/projects/sync-history", [SYNC, "projects.view_projectsynchistory"], 200),
    ("get", "/api/projects/sync-statistics", [SYNC, "projects.view_projectsynchistory"], 200),
    ("get", "/api/config/project-sync", ["projects.view_projectsyncconfig", "projects.change_projectsyncconfig"], 200),
    ("post", "/api/config/project-sync", ["projects.change_projectsyncconfig"], 200),
    ("get", "/api/config/time-display", ["projects.view_timedisplayconfig", "projects.change_timedisplayconfig"], 200),
    ("post", "/api/config/time-display", ["projects.change_timedisplayconfig"], 200),
    ("get", "/api/projects/P-9/links", ["projects.issue_links", "projects.view_projectaccesstoken"], 404),
    ("post", "/api/projects/P-9/links", ["projects.issue_links"], 400),
    ("post", "/api/projects/P-9/links/5/revoke", ["projects.issue_links"], 404),
]
EVERYTHING = {right for _method, _path, rights, _status in PLACES for right in rights}


@pytest.mark.parametrize(("method", "path", "rights", "status"), PLACES)
def test_each_right_opens_its_doors_and_all_others_leave_them_closed(
    method: str, path: str, rights: list[str], status: int
):
    for number, right in enumerate(rights):
        assert getattr(client_of(staff(right, name=f"n{number}")), method)(path, {}).status_code == status
    stranger = client_of(staff(*EVERYTHING - set(rights), name="sam"))
    answer = getattr(stranger, method)(path, {})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize(("method", "path", "rights", "status"), PLACES)
def test_nobody_comes_in_without_credentials(client: Any, method: str, path: str, rights: list[str], status: int):
    assert getattr(client, method)(path).status_code == 401


def test_other_methods_do_not_exist_and_there_is_no_slash_at_the_end():
    client = client_of(staff(*EVERYTHING))
    assert client.delete("/api/projects/sync-history").status_code == 405
    assert client.get("/api/projects/sync").status_code == 405
    assert client.get("/api/projects/sync-history/").status_code == 404


def test_a_session_needs_its_csrf_token(client: Any):
    client.handler.enforce_csrf_checks = True
    client.force_login(staff(SYNC), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/projects/sync-history").status_code == 200
    assert client.post("/api/projects/sync", {}, content_type="application/json").status_code == 403


def test_the_words_are_the_readers(source: RemoteSource):
    assert re.fullmatch(r"\d+\.\d秒", start(language="zh-hans").json()["duration"])
