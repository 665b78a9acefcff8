"""The settings of projects over REST: saved, checked, and the schedule moves with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from config import cron
from config.testing.people import client_of, staff
from projects import schedule
from projects.models import ProjectSyncConfig, ProjectSyncHistory, RemoteSource, RunStatus, TimeDisplayConfig
from projects.tests.staff import copied, project

pytestmark = pytest.mark.django_db

SYNC_CONFIG = "/api/config/project-sync"
TIME_DISPLAY = "/api/config/time-display"
DEFAULTS = {
    "auto_sync_enabled": True,
    "sync_frequency": "*/15 * * * *",
    "cron_expression": "",
    "cache_ttl": 30,
    "sync_types": ["presale", "aftersales", "sales"],
    "notify_on_change": True,
    "notify_channels": ["wechat", "sms", "email"],
}
TIMES = {
    "aftersales_time_format": "YYYY-MM-DD HH:mm",
    "sales_time_format": "YYYY-MM-DD HH:mm",
    "show_payment_time": True,
    "timezone": "Asia/Shanghai",
}


@pytest.fixture
def client() -> Any:
    return client_of(staff("projects.change_projectsyncconfig", "projects.change_timedisplayconfig"))


@pytest.fixture
def row() -> PeriodicTask:
    """The schedule as ``migrate`` makes it; a flush between tests may have taken it away."""
    schedule.move(enabled=True, text=schedule.DEFAULT)
    return PeriodicTask.objects.get(name=schedule.NAME)


def shown(client: Any) -> dict[str, Any]:
    answer = client.get(SYNC_CONFIG)
    assert answer.status_code == 200
    return dict(answer.json()["config"])


def beat_row() -> PeriodicTask:
    return PeriodicTask.objects.select_related("crontab", "interval").get(name=schedule.NAME)


def test_the_defaults_in_the_shape_of_the_contract(client: Any, row: PeriodicTask):
    assert client.get(SYNC_CONFIG).json() == {"config": DEFAULTS, "last_sync_time": None}
    assert client.get(TIME_DISPLAY).json() == TIMES


def test_what_get_shows_can_be_posted_and_changes_nothing(client: Any, row: PeriodicTask):
    config = shown(client)
    assert client.post(SYNC_CONFIG, config).status_code == 200
    assert shown(client) == config == DEFAULTS
    assert client.post(TIME_DISPLAY, TIMES).status_code == 200
    assert client.get(TIME_DISPLAY).json() == TIMES


def test_saving_says_so_in_the_readers_language(client: Any):
    assert client.post(SYNC_CONFIG, {}).json() == {"success": True, "message": "The configuration was saved."}
    chinese = {"headers": {"accept-language": "zh-hans"}}
    for address in (SYNC_CONFIG, TIME_DISPLAY):
        assert client.post(address, {}, **chinese).json() == {"success": True, "message": "配置已保存"}


def test_the_schedule_moves_at_once(client: Any, row: PeriodicTask):
    before = PeriodicTasks.last_change()
    assert client.post(SYNC_CONFIG, {"sync_frequency": "*/30 * * * *"}).status_code == 200
    moved = beat_row()
    assert (moved.pk, cron.as_text(moved.crontab)) == (row.pk, "*/30 * * * *")
    assert str(moved.crontab.timezone) == settings.TIME_ZONE
    assert PeriodicTasks.last_change() > before
    assert shown(client)["sync_frequency"] == "*/30 * * * *"


def test_an_own_schedule_takes_the_frequencys_place_until_it_is_emptied(client: Any, row: PeriodicTask):
    client.post(SYNC_CONFIG, {"cron_expression": "0  9 * *  mon-fri"})
    assert cron.as_text(beat_row().crontab) == "0 9 * * mon-fri"
    client.post(SYNC_CONFIG, {"sync_frequency": "0 * * * *"})
    assert cron.as_text(beat_row().crontab) == "0 9 * * mon-fri"
    client.post(SYNC_CONFIG, {"cron_expression": ""})
    assert cron.as_text(beat_row().crontab) == "0 * * * *"


def test_switching_it_off_and_on(client: Any, row: PeriodicTask):
    client.post(SYNC_CONFIG, {"auto_sync_enabled": False})
    assert (beat_row().enabled, shown(client)["auto_sync_enabled"]) == (False, False)
    client.post(SYNC_CONFIG, {"cache_ttl": 5})
    assert beat_row().enabled is False
    client.post(SYNC_CONFIG, {"auto_sync_enabled": True})
    assert beat_row().enabled is True


def test_a_row_that_was_moved_in_admin_is_what_get_says(client: Any, row: PeriodicTask):
    row.crontab = cron.parse("5 4 * * *")
    row.crontab.save()
    row.enabled = False
    row.save()
    config = shown(client)
    assert (config["sync_frequency"], config["cron_expression"]) == ("5 4 * * *", "")
    assert config["auto_sync_enabled"] is False
    client.post(SYNC_CONFIG, {"cache_ttl": 5})  # whoever saves something else does not undo it
    assert cron.as_text(beat_row().crontab) == "5 4 * * *"
    assert shown(client) == {**config, "cache_ttl": 5}


def test_a_row_with_an_interval_is_shown_and_stays_until_another_time_is_asked_for(client: Any, row: PeriodicTask):
    row.interval, _ = IntervalSchedule.objects.get_or_create(every=7, period="minutes")
    row.crontab = None
    row.save()
    config = shown(client)
    assert config["sync_frequency"] == "@every 7 minutes"
    assert client.post(SYNC_CONFIG, config).status_code == 200
    assert beat_row().interval == row.interval
    client.post(SYNC_CONFIG, {"sync_frequency": "0 * * * *"})
    assert (beat_row().interval, cron.as_text(beat_row().crontab)) == (None, "0 * * * *")


def test_a_row_that_was_deleted_is_made_again(client: Any):
    PeriodicTask.objects.filter(name=schedule.NAME).delete()
    assert shown(client)["auto_sync_enabled"] is False
    client.post(SYNC_CONFIG, {"auto_sync_enabled": True})
    assert (beat_row().enabled, cron.as_text(beat_row().crontab)) == (True, "*/15 * * * *")
    assert beat_row().task == schedule.TASK


def test_all_fields_are_kept(client: Any, row: PeriodicTask):
    config = {
        "auto_sync_enabled": False,
        "sync_frequency": "0 */2 * * *",
        "cron_expression": "15 6 1 * *",
        "cache_ttl": 90,
        "sync_types": ["sales"],
        "notify_on_change": False,
        "notify_channels": [],
    }
    assert client.post(SYNC_CONFIG, config).status_code == 200
    assert shown(client) == config


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sync_frequency": "every hour"}, "sync_frequency"),
        ({"sync_frequency": ""}, "sync_frequency"),
        ({"sync_frequency": "* * * *"}, "sync_frequency"),
        ({"sync_frequency": "61 * * * *"}, "sync_frequency"),
        ({"sync_frequency": "@every 9 minutes"}, "sync_frequency"),
        ({"sync_frequency": 15}, "sync_frequency"),
        ({"cron_expression": "0 0 30 2 *"}, "cron_expression"),
        ({"cron_expression": "0 25 * * *"}, "cron_expression"),
        ({"cron_expression": "0 0 * 13 *"}, "cron_expression"),
        ({"cron_expression": "0 0 * * 8"}, "cron_expression"),
        ({"cron_expression": "* " * 60}, "cron_expression"),
        ({"cron_expression": None}, "cron_expression"),
        ({"auto_sync_enabled": "true"}, "auto_sync_enabled"),
        ({"cache_ttl": "30"}, "cache_ttl"),
        ({"cache_ttl": True}, "cache_ttl"),
        ({"cache_ttl": 0}, "cache_ttl"),
        ({"cache_ttl": 10_081}, "cache_ttl"),
        ({"cache_ttl": 1.5}, "cache_ttl"),
        ({"sync_types": ["rental"]}, "sync_types"),
        ({"sync_types": []}, "sync_types"),
        ({"sync_types": {"sales": True}}, "sync_types"),
        ({"notify_on_change": 1}, "notify_on_change"),
        ({"notify_channels": ["pigeon"]}, "notify_channels"),
        ({"notify_channels": ["alert"]}, "notify_channels"),
        ({"notify_channels": "sms"}, "notify_channels"),
        ({"autoSyncEnabled": True}, "autoSyncEnabled"),
        ({"last_sync_time": None}, "last_sync_time"),
    ],
)
def test_bad_settings_name_their_field_and_change_nothing(client: Any, row: PeriodicTask, body: Any, field: str):
    before = PeriodicTasks.last_change()
    answer = client.post(SYNC_CONFIG, {"notify_on_change": False, **body})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert shown(client) == DEFAULTS
    assert PeriodicTasks.last_change() == before


def test_the_sentence_names_what_is_wrong_with_a_schedule(client: Any):
    answer = client.post(SYNC_CONFIG, {"sync_frequency": "0 25 * * *"}).json()
    assert answer == {"sync_frequency": ["“25” cannot be read as: Hour(s)."]}


def test_all_wrong_fields_are_named_together(client: Any):
    answer = client.post(SYNC_CONFIG, {"cache_ttl": 0, "sync_types": ["x"], "nonsense": 1})
    assert set(answer.json()) == {"cache_ttl", "sync_types", "nonsense"}


def test_the_last_time_that_something_came_in(client: Any, source: RemoteSource):
    moment = datetime(2024, 2, 2, 7, 30, tzinfo=UTC)
    for status, later in ((RunStatus.SUCCESS, 0), (RunStatus.FAILED, 1)):
        at = moment + timedelta(hours=later)
        ProjectSyncHistory.objects.create(source=source, status=status, started_at=at, finished_at=at)
    assert client.get(SYNC_CONFIG).json()["last_sync_time"] == "2024-02-02 15:30:00"
    client.post(TIME_DISPLAY, {"timezone": "Europe/Berlin"})
    assert client.get(SYNC_CONFIG).json()["last_sync_time"] == "2024-02-02 08:30:00"


# --- times -----------------------------------------------------------------------------------------------------------


def test_times_are_shown_as_saved_from_the_next_answer_on(client: Any, source: RemoteSource):
    copied(source, project(1))
    reader = client_of(staff("projects.view_projectcache", name="reader"))
    assert reader.get("/api/projects/P-1").json()["project"]["updated_at"] == "2026-01-05 08:30"
    assert client.post(TIME_DISPLAY, {"sales_time_format": "D.M.YYYY", "timezone": "UTC"}).status_code == 200
    assert client.get(TIME_DISPLAY).json() == {**TIMES, "sales_time_format": "D.M.YYYY", "timezone": "UTC"}
    assert reader.get("/api/projects/P-1").json()["project"]["updated_at"] == "5.1.2026"


def test_documents_are_written_anew_only_if_something_changed(
    client: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
):
    woken: list[str] = []
    monkeypatch.setattr("projects.settings_saving.wake", woken.append)
    version = TimeDisplayConfig.load().version
    with django_capture_on_commit_callbacks(execute=True):
        client.post(TIME_DISPLAY, TIMES)
    assert (woken, TimeDisplayConfig.load().version) == ([], version)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(TIME_DISPLAY, {"show_payment_time": False})
    assert woken == ["projects.rewrite_documents"]
    assert TimeDisplayConfig.load().version > version


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"aftersales_time_format": "yyyy-mm-dd"}, "aftersales_time_format"),
        ({"aftersales_time_format": ""}, "aftersales_time_format"),
        ({"aftersales_time_format": "---"}, "aftersales_time_format"),
        ({"sales_time_format": "YYYY-MM-DD hh:mm"}, "sales_time_format"),
        ({"sales_time_format": "Y" * 41}, "sales_time_format"),
        ({"sales_time_format": 5}, "sales_time_format"),
        ({"show_payment_time": "no"}, "show_payment_time"),
        ({"timezone": "Asia/Peking"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": 8}, "timezone"),
        ({"zone": "UTC"}, "zone"),
        ({"version": 7}, "version"),
    ],
)
def test_bad_times_name_their_field_and_change_nothing(client: Any, body: Any, field: str):
    version = TimeDisplayConfig.load().version
    answer = client.post(TIME_DISPLAY, {"show_payment_time": False, **body})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert client.get(TIME_DISPLAY).json() == TIMES
    assert TimeDisplayConfig.load().version == version


def test_what_is_not_said_over_rest_stays(client: Any):
    ProjectSyncConfig.load()
    ProjectSyncConfig.objects.update(phone_visible_to=["salesman"])
    client.post(SYNC_CONFIG, {"cache_ttl": 45})
    assert ProjectSyncConfig.load().phone_visible_to == ["salesman"]
