"""What people do with projects in admin, against a real library."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django_celery_beat.models import PeriodicTask

from config import cron, heartbeat
from config.testing.admin_browser import Browser, logged_in
from config.testing.people import staff
from notifications.models import Notification
from projects import schedule, tokens
from projects.models import (
    ProjectAccessToken,
    ProjectCache,
    ProjectSyncConfig,
    ProjectSyncHistory,
    RemoteSource,
    RunStatus,
    SyncType,
    TimeDisplayConfig,
)
from projects.sync import runs
from projects.telling import STATUS_CHANGED
from projects.tests.staff import project
from wecom.tests.peers import Close, Peer, Raw

pytestmark = pytest.mark.django_db

SEE_PROJECT = "projects.view_projectcache"
SEE_SOURCE = "projects.view_remotesource"
SYNC = "projects.sync_remotesource"


def verb(model: str, name: str, obj: Any) -> str:
    return reverse(f"admin:projects_{model}_{name}_page", args=[obj.pk])


def page_of(obj: Any) -> str:
    return reverse(f"admin:projects_{obj._meta.model_name}_change", args=[obj.pk])


# --- refresh ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def old(copy: ProjectCache) -> ProjectCache:
    ProjectCache.objects.update(fetched_at=timezone.now() - timedelta(minutes=5))
    return copy


def refresh(copy: ProjectCache) -> list[str]:
    return logged_in(staff(SEE_PROJECT)).told(verb("projectcache", "refresh", copy))


def test_refresh_brings_what_the_library_has(old: ProjectCache, library: Peer):
    library.answer("/projects/P-1", project(1, status="shipped"))
    assert "up to date now" in refresh(old)[0]
    old.refresh_from_db()
    assert old.status == "shipped"


def test_refresh_says_when_nothing_changed(old: ProjectCache):
    assert "nothing has changed" in refresh(old)[0]


def test_refresh_of_a_copy_that_was_confirmed_this_moment_asks_nobody(copy: ProjectCache, library: Peer):
    assert "a moment ago" in refresh(copy)[0]
    assert library.received == []


def test_refresh_keeps_the_copy_when_the_library_is_away(old: ProjectCache, library: Peer):
    library.answer("/projects/P-1", Close())
    assert "stays as it was" in refresh(old)[0]
    old.refresh_from_db()
    assert old.status == "pending"


# --- links -----------------------------------------------------------------------------------------------------------

ISSUE = (SEE_PROJECT, "projects.issue_links")
PERSON = {"stakeholder": "", "user_name": "Zoë", "user_id": "C-9", "access_type": "customer", "days": "3"}


def make(copy: ProjectCache, by: Browser | None = None, /, **change: str) -> Any:
    form = {"csrfmiddlewaretoken": uuid4().hex, **PERSON, **change}
    return (by or logged_in(staff(*ISSUE))).post(verb("projectcache", "make_link", copy), form)


def address_in(page: str) -> str:
    found = re.search(r'data-text="([^"]+)"', page)
    assert found
    return found.group(1).replace("&amp;", "&")


def test_a_link_is_shown_once_with_its_address_a_copy_button_and_a_picture(copy: ProjectCache):
    client = logged_in(staff(*ISSUE, "projects.view_projectaccesstoken"))
    answer = make(copy, client)
    page = answer.content.decode()
    url = address_in(page)
    row = ProjectAccessToken.objects.get()
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert 'src="data:image/svg+xml' in page
    assert (row.user_name, row.user_id, row.access_type) == ("Zoë", "C-9", "customer")
    assert row.created_by == User.objects.get(username="nora")
    assert row.expires_at - row.created_at == timedelta(days=3)
    token = url.split("token=")[1]
    assert Browser().get("/api/projects/P-1", {"token": token}).status_code == 200
    for place in (page_of(copy), page_of(row), reverse("admin:projects_projectaccesstoken_changelist")):
        assert token not in client.page(place)
    assert not [entry for entry in LogEntry.objects.all() if token in entry.change_message]


def test_loading_the_page_with_a_link_again_makes_no_second_one(copy: ProjectCache):
    by, form = logged_in(staff(*ISSUE)), uuid4().hex
    address = address_in(make(copy, by, csrfmiddlewaretoken=form).content.decode())
    told = by.told(verb("projectcache", "make_link", copy), {**PERSON, "csrfmiddlewaretoken": form})
    assert "shown once" in told[0] and address not in told[0]
    assert ProjectAccessToken.objects.count() == 1
    assert address_in(make(copy, by).content.decode()) != address
    assert ProjectAccessToken.objects.count() == 2


def test_one_of_the_projects_people_can_be_chosen(copy: ProjectCache):
    answer = make(copy, stakeholder="1", user_name="", user_id="", access_type="")
    assert answer.status_code == 200
    row = ProjectAccessToken.objects.get()
    assert (row.user_name, row.user_id, row.access_type) == ("李梅", "S-1", "salesman")


@pytest.mark.parametrize(
    "change",
    [
        {"user_name": ""},
        {"user_id": ""},
        {"access_type": ""},
        {"access_type": "boss"},
        {"days": "0"},
        {"days": "366"},
        {"days": ""},
        {"stakeholder": "0"},
        {"stakeholder": "7"},
        {"user_name": "x" * 101},
    ],
)
def test_a_form_with_a_mistake_makes_no_link(copy: ProjectCache, change: dict[str, str]):
    answer = make(copy, **change)
    assert answer.context["form"].errors
    assert not ProjectAccessToken.objects.exists()


def test_only_who_may_make_links_sees_the_button_or_gets_in(copy: ProjectCache):
    client = logged_in(staff(SEE_PROJECT))
    url = verb("projectcache", "make_link", copy)
    assert url not in client.page(page_of(copy))
    assert client.get(url).status_code == 403
    assert make(copy, client).status_code == 403
    assert url in logged_in(staff(*ISSUE, name="mara")).page(page_of(copy))


def test_asking_makes_nothing(copy: ProjectCache):
    assert logged_in(staff(*ISSUE)).get(verb("projectcache", "make_link", copy)).status_code == 200
    assert not ProjectAccessToken.objects.exists()


def test_revoking_one_and_several(copy: ProjectCache):
    rows = [tokens.issue(copy, user_id=str(n), user_name="w", access_type="customer").row for n in range(3)]
    client = logged_in(staff("projects.view_projectaccesstoken", "projects.issue_links"))
    assert "was revoked" in client.told(verb("projectaccesstoken", "revoke", rows[0]))[0]
    assert "already" in client.told(verb("projectaccesstoken", "revoke", rows[0]))[0]
    data = {"action": "revoke", "_selected_action": [row.pk for row in rows], "confirmed": "yes"}
    told = client.told(reverse("admin:projects_projectaccesstoken_changelist"), data)
    assert "2 done" in told[0]
    assert "1 refused" in told[1]
    assert not ProjectAccessToken.objects.filter(revoked_at=None).exists()
    assert set(ProjectAccessToken.objects.values_list("revoked_by__username", flat=True)) == {"nora"}


def test_revoking_needs_its_right(copy: ProjectCache):
    row = tokens.issue(copy, user_id="1", user_name="w", access_type="customer").row
    client = logged_in(staff("projects.view_projectaccesstoken"))
    assert client.post(verb("projectaccesstoken", "revoke", row)).status_code == 403
    assert 'value="revoke"' not in client.page(reverse("admin:projects_projectaccesstoken_changelist"))


# --- sources ---------------------------------------------------------------------------------------------------------

FORM = {
    "name": "Main",
    "slug": "main",
    "enabled": "on",
    "api_key": "",
    "types": ["sales"],
    "field_map": "{}",
    "page_size": "500",
    "most_removed_percent": "20",
    "connect_timeout": "3",
    "read_timeout": "20",
}


def test_the_connection_is_tested(source: RemoteSource, library: Peer):
    client = logged_in(staff(SEE_SOURCE, SYNC))
    assert "1 project." in client.told(verb("remotesource", "test_connection", source))[0]
    assert library.received[0].headers["Authorization"] == "Bearer library-key-secret"
    library.answer("/projects", Raw(401))
    told = client.told(verb("remotesource", "test_connection", source))[0]
    assert "library-key-secret" not in told
    assert "1 project." not in told


def test_the_key_is_kept_when_left_empty_and_replaced_when_given(source: RemoteSource, library: Peer, admin_user: User):
    client = logged_in(admin_user)
    form = {**FORM, "base_url": library.url + "/"}
    assert client.post(page_of(source), form).status_code == 302
    source.refresh_from_db()
    assert (source.api_key.reveal(), source.types, source.base_url) == ("library-key-secret", ["sales"], library.url)
    client.post(page_of(source), {**form, "api_key": "another-key"})
    source.refresh_from_db()
    assert source.api_key.reveal() == "another-key"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"field_map": "[]"}, None),
        ({"field_map": '{"titel": "name"}'}, "field_map"),
        ({"field_map": '{"title": 5}'}, "field_map"),
        ({"field_map": '["title"]'}, "field_map"),
        ({"field_map": "{"}, "field_map"),
        ({"base_url": "ftp:/nowhere"}, "base_url"),
        ({"base_url": "http://"}, "base_url"),
        ({"base_url": "http://library:port"}, "base_url"),
        ({"types": []}, "types"),
        ({"types": ["rental"]}, "types"),
        ({"page_size": "0"}, "page_size"),
    ],
)
def test_a_source_is_checked(
    source: RemoteSource, library: Peer, admin_user: User, change: dict[str, Any], field: str | None
):
    answer = logged_in(admin_user).post(page_of(source), {**FORM, "base_url": library.url, **change})
    if field is None:
        assert answer.status_code == 302
    else:
        assert list(answer.context["adminform"].form.errors) == [field]


def test_a_source_without_projects_is_deleted_with_its_runs(source: RemoteSource):
    operator = logged_in(staff(SEE_SOURCE, "projects.delete_remotesource"))
    ProjectSyncHistory.objects.create(source=source, status=RunStatus.FAILED)
    page = reverse("admin:projects_remotesource_delete", args=[source.pk])
    assert 'name="post"' in operator.page(page)
    assert operator.post(page, {"post": "yes"}).status_code == 302
    assert not RemoteSource.objects.exists() and not ProjectSyncHistory.objects.exists()


def test_a_source_that_has_brought_projects_stays(copy: ProjectCache):
    operator = logged_in(staff(SEE_SOURCE, "projects.delete_remotesource"))
    page = reverse("admin:projects_remotesource_delete", args=[copy.source_id])
    assert "1 project that was read from it" in operator.page(page)
    operator.post(page, {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [copy.source_id], "post": "yes"}
    operator.post(reverse("admin:projects_remotesource_changelist"), chosen)
    assert RemoteSource.objects.get() == copy.source


def test_synchronising_leads_to_the_run(
    source: RemoteSource, monkeypatch: Any, django_capture_on_commit_callbacks: Any
):
    woken: list[str] = []
    monkeypatch.setattr("projects.sync_request.wake", woken.append)
    client = logged_in(staff(SEE_SOURCE, SYNC))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(verb("remotesource", "sync", source), {"force": "on"})
    run = ProjectSyncHistory.objects.get()
    assert answer.headers["Location"] == page_of(run)
    assert (run.status, run.force, woken) == (RunStatus.PENDING, True, ["projects.run_pending"])
    assert run.started_by == User.objects.get(username="nora")
    assert 'data-open="true"' in client.page(page_of(run))
    again = client.post(verb("remotesource", "sync", source), follow=True)
    assert again.redirect_chain[-1][0] == page_of(run)
    assert ProjectSyncHistory.objects.count() == 1


def test_a_source_that_is_off_is_not_synchronised(source: RemoteSource):
    source.enabled = False
    source.save()
    client = logged_in(staff(SEE_SOURCE, SYNC))
    assert verb("remotesource", "sync", source) not in client.page(page_of(source))
    assert "switched off" in client.told(verb("remotesource", "sync", source))[0]
    assert not ProjectSyncHistory.objects.exists()


def test_synchronising_needs_its_right(source: RemoteSource):
    client = logged_in(staff(SEE_SOURCE, "projects.change_remotesource"))
    assert client.post(verb("remotesource", "sync", source)).status_code == 403


# --- progress --------------------------------------------------------------------------------------------------------


def progress(run: ProjectSyncHistory, language: str = "en") -> dict[str, Any]:
    user = User.objects.filter(username="nora").first() or staff(SYNC)
    return dict(
        logged_in(user, language).get(reverse("admin:projects_projectsynchistory_progress", args=[run.pk])).json()
    )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("status", "is_open", "tone", "percent"),
    [
        ("pending", True, "info", None),
        ("running", True, "info", 50),
        ("success", False, "success", 100),
        ("partial", False, "warning", 50),
        ("failed", False, "danger", None),
    ],
)
def test_progress_in_every_state(
    source: RemoteSource, status: str, is_open: bool, tone: str, percent: int | None, language: str
):
    announced = None if percent is None else 10
    run = ProjectSyncHistory.objects.create(source=source, status=status, announced=announced, total_projects=5)
    shown = progress(run, language)
    assert (shown["open"], shown["tone"], shown["percent"]) == (is_open, tone, percent)
    assert shown["counts"][0]["value"] == 5
    assert shown["status"]


def test_a_run_that_waits_in_vain_says_why(source: RemoteSource):
    run = runs.open_run(source, sync_type=SyncType.MANUAL)
    assert progress(run)["message"] == ""
    ProjectSyncHistory.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert "No worker" in progress(run)["message"]
    heartbeat.beat_heart("worker")
    assert progress(run)["message"] == ""


def test_progress_is_for_who_may_see_runs(source: RemoteSource):
    run = ProjectSyncHistory.objects.create(source=source)
    url = reverse("admin:projects_projectsynchistory_progress", args=[run.pk])
    assert logged_in(staff(SEE_PROJECT)).get(url).status_code == 403
    assert Browser().get(url).status_code == 302
    viewer = logged_in(staff("projects.view_projectsynchistory", name="mara"))
    assert viewer.get(url).status_code == 200
    assert viewer.get(reverse("admin:projects_projectsynchistory_progress", args=[run.pk + 1])).status_code == 404


# --- settings --------------------------------------------------------------------------------------------------------

SYNC_FORM = {
    "auto_sync_enabled": "on",
    "sync_frequency": "*/15 * * * *",
    "cron_expression": "",
    "sync_types": ["presale", "aftersales", "sales"],
    "cache_ttl": "30",
    "notify_on_change": "on",
    "notify_channels": ["wechat", "sms", "email"],
    "quiet_from": "",
    "quiet_until": "",
    "phone_visible_to": ["engineer", "salesman"],
}
CONFIG_PAGE = "/admin/projects/projectsyncconfig/1/change/"
TIMES_PAGE = "/admin/projects/timedisplayconfig/1/change/"


@pytest.fixture
def operator() -> Browser:
    ProjectSyncConfig.load()
    TimeDisplayConfig.load()
    schedule.move(enabled=True, text=schedule.DEFAULT)
    return logged_in(staff("projects.change_projectsyncconfig", "projects.change_timedisplayconfig"))


def test_the_settings_page_moves_the_schedule_and_shows_the_next_runs(operator: Browser):
    assert operator.page(CONFIG_PAGE).count("qb-runs-list") == 1
    answer = operator.post(CONFIG_PAGE, {**SYNC_FORM, "cron_expression": "30 6 * * *", "sync_types": ["sales"]})
    assert answer.headers["Location"] == CONFIG_PAGE
    config = ProjectSyncConfig.load()
    assert (config.cron_expression, config.sync_types) == ("30 6 * * *", ["sales"])
    row = PeriodicTask.objects.get(name=schedule.NAME)
    assert cron.as_text(row.crontab) == "30 6 * * *"
    page = operator.page(CONFIG_PAGE)
    assert page.split("qb-runs-list", 1)[1].split("</div></div>")[0].count("<div>") == 5
    assert "06:30" in page.lower() or "6:30 a.m." in page


def test_switching_the_schedule_off(operator: Browser):
    form = {name: value for name, value in SYNC_FORM.items() if name != "auto_sync_enabled"}
    assert operator.post(CONFIG_PAGE, form).status_code == 302
    assert PeriodicTask.objects.get(name=schedule.NAME).enabled is False
    assert "the schedule is switched off" in operator.page(CONFIG_PAGE)


def test_a_row_moved_in_admin_is_shown_and_stays(operator: Browser):
    schedule.move(enabled=True, text="5 4 * * *")
    assert 'value="5 4 * * *"' in operator.page(CONFIG_PAGE)
    operator.post(CONFIG_PAGE, {**SYNC_FORM, "sync_frequency": "5 4 * * *", "cache_ttl": "45"})
    assert schedule.read().text == "5 4 * * *"
    assert ProjectSyncConfig.load().cache_ttl == 45


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sync_frequency": "0 25 * * *"}, "sync_frequency"),
        ({"cron_expression": "nonsense"}, "cron_expression"),
        ({"sync_types": []}, "sync_types"),
        ({"cache_ttl": "0"}, "cache_ttl"),
        ({"notify_channels": ["alert"]}, "notify_channels"),
        ({"quiet_from": "22:00"}, "quiet_until"),
        ({"phone_visible_to": ["boss"]}, "phone_visible_to"),
    ],
)
def test_settings_are_checked(operator: Browser, change: dict[str, Any], field: str):
    answer = operator.post(CONFIG_PAGE, {**SYNC_FORM, **change})
    assert list(answer.context["adminform"].form.errors) == [field]
    assert schedule.read().text == schedule.DEFAULT


def test_giving_up_quiet_hours_frees_what_waits_for_them(operator: Browser):
    """Saving something else leaves the queue alone: what waits may wait for a rate."""
    later = timezone.now() + timedelta(hours=3)
    waiting = Notification.objects.create(
        key="waits", event=STATUS_CHANGED, channel="sms", address="13800138000", body="x", next_attempt_at=later
    )
    for hours, due in (({}, False), ({"quiet_from": "00:00", "quiet_until": "23:59"}, True), ({}, True)):
        Notification.objects.update(next_attempt_at=later)
        assert operator.post(CONFIG_PAGE, {**SYNC_FORM, **hours}).status_code == 302
        waiting.refresh_from_db()
        assert (waiting.next_attempt_at <= timezone.now()) is due


def test_who_may_only_look_sees_words_and_changes_nothing(operator: Browser):
    viewer = logged_in(staff("projects.view_projectsyncconfig", name="mara"), "zh-hans")
    page = viewer.page(CONFIG_PAGE)
    assert "checkbox" not in page.split("<main", 1)[-1].split("qb-runs-list", 1)[-1]
    assert escape("presale") not in page.split("qb-runs-list", 1)[1]
    assert viewer.post(CONFIG_PAGE, SYNC_FORM).status_code == 403


def test_times_are_saved_as_a_new_version(operator: Browser):
    before = TimeDisplayConfig.load().version
    form = {
        "aftersales_time_format": "YYYY-MM-DD HH:mm",
        "sales_time_format": "D.M.YYYY",
        "show_payment_time": "on",
        "timezone": "UTC",
    }
    Notification.objects.create(
        key="waits",
        event=STATUS_CHANGED,
        channel="sms",
        address="1",
        next_attempt_at=timezone.now() + timedelta(hours=3),
    )
    assert operator.post(TIMES_PAGE, form).status_code == 302
    assert Notification.objects.get().next_attempt_at <= timezone.now()  # quiet hours are those of another clock now
    display = TimeDisplayConfig.load()
    assert (display.sales_time_format, display.timezone) == ("D.M.YYYY", "UTC")
    assert display.version > before
    wrong = operator.post(TIMES_PAGE, {**form, "timezone": "Mars/Base", "sales_time_format": "DD.mm.jjjj"})
    assert set(wrong.context["adminform"].form.errors) == {"timezone", "sales_time_format"}
