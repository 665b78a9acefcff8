"""Runs that meet trouble: a library that falls silent, a worker that dies, two that start at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.utils import timezone

from config.testing.processes import wait_until
from projects.models import ProjectSyncHistory, RemoteSource
from projects.tests.e2e.house import PAGE, PROJECTS, House


def test_a_change_in_the_library_reaches_the_mirror_the_salesman_and_the_history(house: House):
    house.library.post("projects/PS-000003", status="pending")
    house.sync()
    with house.database.opened():
        house.set(notify_channels=["wechat"])
    project = house.library.post("projects/PS-000003", status="completed", title="锅炉房改造")
    [salesman] = [person for person in project["stakeholders"] if person["role"] == "salesman"]
    result = house.staff.do("projects/sync")
    assert result["changes"] == [
        {"project_id": "PS-000003", "old_status": "pending", "new_status": "completed", "notified": True}
    ]
    assert house.read("PS-000003")["project"]["status"] == "completed"
    wait_until(
        lambda: any("锅炉房改造" in text for text in house.phone.messages(salesman["wecom_userid"])),
        10,
        "the salesman's phone",
    )


def test_a_library_that_goes_away_in_the_middle_leaves_what_was_read_and_the_next_run_completes_it(house: House):
    before = house.copies()
    house.library.post("bulk/change", count=PROJECTS)
    after = house.originals()
    assert all(after[name] != before[name] for name in after)

    house.library.fault("down", from_page=3, endpoint="list")
    broken = house.sync()
    assert (broken["status"], broken["total_projects"], broken["updated_count"]) == ("partial", 2 * PAGE, 2 * PAGE)
    assert broken["message"]
    half = house.copies()
    assert sum(half[name] == after[name] for name in after) == 2 * PAGE
    assert len(half) == PROJECTS
    assert house.sync()["status"] == "failed"  # nothing at all could be read, and nothing was lost
    assert house.copies() == half

    house.library.heal()
    complete = house.sync()
    assert (complete["status"], complete["updated_count"], complete["unchanged_count"]) == (
        "success",
        PROJECTS - 2 * PAGE,
        2 * PAGE,
    )
    assert house.copies() == after


def test_a_worker_killed_in_the_middle_is_followed_by_a_run_that_completes_its_work(house: House):
    house.library.post("bulk/change", count=PROJECTS)
    house.library.fault("slow", endpoint="list", seconds=0.8)
    run_id = house.staff.do("projects/sync", wait=False)["run_id"]
    wait_until(
        lambda: house.staff.read(f"projects/sync/{run_id}")["pages_done"] >= 2, 10, "two pages applied", interval=0.05
    )
    for worker in house.workers:
        worker.kill()
    house.library.heal()
    refused = house.staff.post("projects/sync")
    assert (refused.status_code, refused.json()["run_id"]) == (409, run_id)  # nobody knows yet that it is dead

    with house.database.opened():
        dead = ProjectSyncHistory.objects.get(pk=run_id)
        assert dead.changes.count() == dead.updated_count == PAGE * dead.pages_done < PROJECTS
        dead.alive_until = timezone.now() - timedelta(seconds=1)  # its lease ends
        dead.save(update_fields=["alive_until"])
    listed = house.library.calls("list")
    assert house.sync()["status"] == "success"
    assert house.library.calls("list") - listed == PROJECTS // PAGE
    assert house.history()[1]["status"] == "partial"
    assert house.copies() == house.originals()
    with house.database.opened():
        complete = ProjectSyncHistory.objects.first()
        assert complete is not None
        assert (complete.first_page, complete.updated_count) == (dead.pages_done + 1, PROJECTS - dead.updated_count)
        assert complete.changes.count() == complete.updated_count
        assert RemoteSource.objects.get().confirmed_at == complete.started_at


def test_of_two_runs_started_at_once_one_runs_and_the_other_is_refused(house: House):
    runs = house.runs()
    house.library.fault("slow", endpoint="list", seconds=0.5, count=2)
    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(lambda _: house.staff.post("projects/sync"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {answer["code"] for answer in refused} == {"already_running"}
    assert house.runs() == runs + 1
    with house.database.opened():
        newest = ProjectSyncHistory.objects.first()
        assert newest is not None
        assert {answer["run_id"] for answer in refused} == {newest.pk}
    assert house.sync()["status"] == "success"  # and nothing is held afterwards
