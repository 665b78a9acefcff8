"""Schedules, users, tokens and log-in protection in admin."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from celery import current_app
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks
from knox.models import AuthToken

from config import login_guard
from config.cron_words import describe
from config.schedules import ensure_schedule

pytestmark = pytest.mark.django_db

SCHEDULES = "/admin/django_celery_beat/periodictask/"


@pytest.fixture
def schedule() -> PeriodicTask:
    return ensure_schedule("test: every minute", "config.tests.nothing", every=timedelta(minutes=1))


def staff(*permissions: str) -> Client:
    person = User.objects.create_user("clerk", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


def act(client: Client, action: str, row: PeriodicTask) -> int:
    return client.post(SCHEDULES, {"action": action, "_selected_action": [row.pk]}).status_code


@pytest.mark.parametrize(
    "path",
    [
        SCHEDULES,
        SCHEDULES + "add/",
        "/admin/django_celery_beat/intervalschedule/",
        "/admin/django_celery_beat/intervalschedule/add/",
        "/admin/django_celery_beat/crontabschedule/",
        "/admin/django_celery_beat/crontabschedule/add/",
        "/admin/auth/user/",
        "/admin/auth/user/add/",
        "/admin/auth/group/add/",
        "/admin/knox/authtoken/",
        "/admin/axes/accessattempt/",
        "/admin/axes/accesslog/",
        "/admin/admin/logentry/",
    ],
)
def test_every_page_opens(admin_client: Client, path: str):
    assert admin_client.get(path).status_code == 200


def test_switching_a_schedule_off_is_seen_by_beat_and_logged(admin_client: Client, schedule: PeriodicTask):
    before = PeriodicTasks.last_change()
    assert act(admin_client, "disable", schedule) == 302
    schedule.refresh_from_db()
    assert schedule.enabled is False
    assert PeriodicTasks.last_change() > before
    assert LogEntry.objects.filter(object_id=str(schedule.pk)).exists()
    act(admin_client, "enable", schedule)
    schedule.refresh_from_db()
    assert schedule.enabled is True


def test_who_may_only_look_can_neither_switch_nor_run(schedule: PeriodicTask):
    client = staff("view_periodictask")
    assert client.get(SCHEDULES).status_code == 200
    for action in ("disable", "run_now"):
        act(client, action, schedule)
    schedule.refresh_from_db()
    assert schedule.enabled is True
    assert waiting_tasks() == 0


def test_run_now_hands_the_task_to_a_worker(admin_client: Client, schedule: PeriodicTask):
    act(admin_client, "run_now", schedule)
    assert waiting_tasks() == 1


def waiting_tasks() -> int:
    with current_app.connection_for_read() as broker:
        return int(broker.default_channel.client.llen("celery"))


def test_a_schedule_is_edited_with_its_arguments_checked(admin_client: Client, schedule: PeriodicTask):
    task = next(name for name in current_app.tasks if not name.startswith("celery."))
    interval, _ = IntervalSchedule.objects.get_or_create(every=5, period="minutes")
    form = {
        "name": schedule.name, "task": task, "enabled": "on", "description": "", "interval": interval.pk,
        "crontab": "", "args": "[1]", "kwargs": "{}",
    }  # fmt: skip
    page = f"{SCHEDULES}{schedule.pk}/change/"
    assert admin_client.post(page, {**form, "args": "no json"}).status_code == 200
    assert admin_client.post(page, {**form, "args": "{}"}).status_code == 200
    assert admin_client.post(page, {**form, "task": "os.system"}).status_code == 200
    schedule.refresh_from_db()
    assert (schedule.args, schedule.task) == ("[]", "config.tests.nothing")
    assert admin_client.post(page, form).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.args, schedule.task, schedule.interval) == ("[1]", task, interval)


def test_an_interval_in_use_is_not_deleted(admin_client: Client, schedule: PeriodicTask):
    page = f"/admin/django_celery_beat/intervalschedule/{schedule.interval_id}/delete/"
    assert admin_client.post(page, {"post": "yes"}).status_code == 403
    assert PeriodicTask.objects.filter(pk=schedule.pk).exists()


@pytest.mark.parametrize(
    ("fields", "chinese", "english"),
    [
        ("30 1 * * *", "每天 01:30", "At 01:30"),
        ("0 9,18 * * *", "每天 09:00 和 18:00", "At 09:00 and 18:00"),
        ("*/15 * * * *", "每 15 分钟", "Every 15 minutes"),
        ("30 6 * * 1-5", "06:30，星期一至星期五", "At 06:30, Monday through Friday"),
        ("0 3 * * 1,3,5", "03:00，仅在星期一、星期三和星期五", "At 03:00, only on Monday, Wednesday, and Friday"),
        (
            "*/10 8-18 * * *",
            "每 10 分钟，08:00 和 18:59 之间",
            "Every 10 minutes, between 08:00 and 18:59",
        ),
        ("0 3 * * 1", "03:00，仅在星期一", "At 03:00, only on Monday"),
        (
            "0 0 1 1,7 *",
            "00:00，每月的 1 号，仅在 1月和 7月",
            "At 00:00, on day 1 of the month, only in January and July",
        ),
    ],
)
def test_a_crontab_is_said_in_words(fields: str, chinese: str, english: str):
    minute, hour, day, month, weekday = fields.split()
    schedule = CrontabSchedule(minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday)
    with translation.override("zh-hans"):
        assert describe(schedule) == chinese
    with translation.override("en"):
        assert describe(schedule) == english


def test_who_edits_users_cannot_make_themselves_anything():
    client = staff("view_user", "change_user")
    clerk = User.objects.get(username="clerk")
    boss = User.objects.create_superuser("boss")
    page = f"/admin/auth/user/{clerk.pk}/change/"
    client.post(page, {"username": "clerk", "is_active": "on", "is_superuser": "on", "is_staff": "on"})
    clerk.refresh_from_db()
    assert clerk.is_superuser is False
    assert client.post(f"/admin/auth/user/{boss.pk}/change/", {"username": "hijacked"}).status_code == 403
    assert client.post(f"/admin/auth/user/{boss.pk}/password/", {"password1": "x"}).status_code == 403


def test_who_edits_roles_cannot_give_their_own_role_anything():
    client = staff("view_group", "change_group")
    role = Group.objects.create(name="clerks")
    User.objects.get(username="clerk").groups.add(role)
    more = Permission.objects.get(codename="change_user")
    page = f"/admin/auth/group/{role.pk}/change/"
    assert client.post(page, {"name": "renamed", "permissions": [more.pk]}).status_code == 302
    role.refresh_from_db()
    assert (role.name, role.permissions.count()) == ("renamed", 0)


def test_a_superuser_gives_roles_their_rights(admin_client: Client):
    role = Group.objects.create(name="clerks")
    right = Permission.objects.get(codename="view_user")
    admin_client.post(f"/admin/auth/group/{role.pk}/change/", {"name": "clerks", "permissions": [right.pk]})
    assert list(role.permissions.all()) == [right]


def test_tokens_are_shown_without_their_secret_and_can_only_be_revoked(admin_client: Client):
    user = User.objects.create_user("integration")
    token, key = AuthToken.objects.create(user)
    assert admin_client.get("/admin/knox/authtoken/add/").status_code == 403
    page = admin_client.get("/admin/knox/authtoken/").content.decode()
    assert token.token_key in page
    assert key not in page
    assert (
        token.digest not in admin_client.get(f"/admin/knox/authtoken/{token.pk}/change/").context["original"].token_key
    )
    admin_client.post(f"/admin/knox/authtoken/{token.pk}/delete/", {"post": "yes"})
    assert not AuthToken.objects.exists()


def test_five_wrong_passwords_lock_out_and_deleting_the_attempt_lifts_it(admin_client: Client):
    User.objects.create_user("victim", password="right", is_staff=True)
    client = Client()
    answers = [client.post("/admin/login/", {"username": "victim", "password": "wrong"}).status_code for _ in range(6)]
    assert answers[:4] == [200] * 4
    assert answers[5] == 429
    assert client.post("/admin/login/", {"username": "victim", "password": "right"}).status_code == 429
    attempt = admin_client.get("/admin/axes/accessattempt/").context["cl"].result_list[0]
    admin_client.post(f"/admin/axes/accessattempt/{attempt.pk}/delete/", {"post": "yes"})
    assert client.post("/admin/login/?next=/health", {"username": "victim", "password": "right"}).status_code == 302


def test_one_address_cannot_try_one_password_on_everybody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(login_guard, "FAILURES_PER_ADDRESS", 4)
    User.objects.create_user("boss", password="right", is_staff=True)
    User.objects.create_user("mallory", password="own", is_staff=True)
    here, elsewhere = Client(REMOTE_ADDR="203.0.113.7"), Client(REMOTE_ADDR="203.0.113.8")

    def log_in(client: Client, username: str, password: str) -> int:
        return client.post("/admin/login/", {"username": username, "password": password}).status_code

    assert [log_in(here, f"user{number}", "guess") for number in range(3)] == [200] * 3
    assert log_in(here, "mallory", "own") == 302  # a success must not begin the count anew
    assert log_in(here, "user3", "guess") == 429
    assert log_in(here, "boss", "right") == 429
    assert log_in(elsewhere, "boss", "right") == 302


def test_many_addresses_cannot_guess_one_persons_password_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(login_guard, "FAILURES_PER_USER", 6)
    User.objects.create_superuser("boss", password="right")
    User.objects.create_user("li", password="right", is_staff=True)
    office, new = Client(REMOTE_ADDR="203.0.113.1"), Client(REMOTE_ADDR="203.0.113.99")

    def log_in(client: Client, username: str, password: str) -> int:
        return client.post("/admin/login/", {"username": username, "password": password}).status_code

    assert log_in(office, "boss", "right") == 302
    guesses = [log_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), "boss", "guess") for number in range(10, 17)]
    assert guesses == [200] * 5 + [429] * 2
    assert log_in(new, "boss", "right") == 429
    assert log_in(office, "boss", "right") == 302  # a stranger must not lock the boss out of the boss's own office
    assert log_in(new, "li", "right") == 302


def test_one_address_alone_locks_nobody_out_elsewhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(login_guard, "FAILURES_PER_USER", 6)
    User.objects.create_superuser("boss", password="right")
    form = {"username": "boss", "password": "guess"}
    for agent in range(9):  # each browser is counted in a row of its own
        Client(REMOTE_ADDR="203.0.113.1", HTTP_USER_AGENT=f"b{agent}").post("/admin/login/", form)
    here = Client(REMOTE_ADDR="203.0.113.2")
    assert here.post("/admin/login/", {**form, "password": "right"}).status_code == 302


class TestCreateApiToken:
    def run(self, *arguments: str) -> list[str]:
        out = StringIO()
        call_command("create_api_token", *arguments, stdout=out)
        return out.getvalue().strip().splitlines()

    def test_the_last_line_is_a_token_that_works(self, client: Client):
        User.objects.create_user("integration")
        key = self.run("integration", "--days", "7")[-1]
        assert client.get("/api/schema", headers={"authorization": f"Token {key}"}).status_code == 200
        life = AuthToken.objects.get().expiry - AuthToken.objects.get().created
        assert timedelta(days=6, hours=23) < life < timedelta(days=7, hours=1)

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("nobody",), "There is no user called nobody"),
            (("former",), "former is not active"),
            (("integration", "--days", "0"), "--days must be from 1"),
        ],
    )
    def test_what_cannot_work_is_refused(self, arguments: tuple[str, ...], sentence: str):
        User.objects.create_user("integration")
        User.objects.create_user("former", is_active=False)
        with pytest.raises(CommandError, match=sentence):
            self.run(*arguments)
        assert not AuthToken.objects.exists()


class TestWhatPeopleChanged:
    LOG = "/admin/admin/logentry/"

    @pytest.fixture
    def entry(self, admin_user: User) -> LogEntry:
        message = [{"changed": {"fields": ["Serial X7"]}}]
        return LogEntry.objects.log_actions(admin_user.pk, [admin_user], CHANGE, message, single_object=True)

    def test_an_auditor_reads_it_from_the_sidebar_on(self, entry: LogEntry):
        auditor = staff("view_logentry")
        assert self.LOG in auditor.get("/admin/").content.decode()
        assert "Serial X7" in auditor.get(self.LOG).content.decode()
        assert auditor.get(f"{self.LOG}{entry.pk}/change/").status_code == 200

    def test_nobody_else_does(self, entry: LogEntry):
        seller = staff("view_quote")
        assert self.LOG not in seller.get("/admin/").content.decode()
        assert seller.get(self.LOG).status_code == 403

    @pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
    def test_not_even_a_superuser_writes_it(self, admin_client: Client, entry: LogEntry, page: str):
        assert admin_client.post(self.LOG + page.format(pk=entry.pk), {"post": "yes"}).status_code == 403
        assert LogEntry.objects.filter(pk=entry.pk).exists()

    def test_nor_changes_it(self, admin_client: Client, entry: LogEntry):
        answer = admin_client.post(f"{self.LOG}{entry.pk}/change/", {"object_repr": "somebody else"})
        assert answer.status_code == 403
        entry.refresh_from_db()
        assert entry.object_repr != "somebody else"
