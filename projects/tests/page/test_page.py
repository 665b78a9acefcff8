"""What the page says about a project, and to whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from projects import access_log
from projects.models import ProjectAccessLog, ProjectCache, ProjectStatusChange, RemoteSource, TimeDisplayConfig
from projects.tests.page.browserless import Phone
from projects.tokens import Issued, issue


@pytest.fixture
def phone(link: Issued) -> Phone:
    phone = Phone()
    phone.open(link.url)
    return phone


def steps_of(phone: Phone) -> list[tuple[str, bool]]:
    """Each step's class and whether it is the present one for a screen reader."""
    found = re.findall(r'<li class="(done|current|ahead)[^"]*"( aria-current="step")?>', phone.answer.content.decode())
    return [(state, bool(current)) for state, current in found]


def test_it_shows_the_project(phone: Phone):
    for text in (
        "二期厂房板式换热器采购",
        "SO-1",
        "板式换热器 BR06",
        "12",
        "SF140099887766",
        "苏州精工机械有限公司",
        "李梅",
        "何涛",
    ):
        assert text in phone.text
    assert re.search(r"<h1>二期厂房板式换热器采购</h1>", phone.answer.content.decode())


def test_the_customer_finds_no_full_number(phone: Phone):
    assert "138****8888" in phone.text
    assert "13812348888" not in phone.answer.content.decode()


def test_a_salesmans_link_shows_the_number(project: ProjectCache):
    phone = Phone()
    phone.open(issue(project, user_id="li.mei", user_name="李梅", access_type="salesman").url)
    assert "13812348888" in phone.text


def test_steps_end_at_the_present_one(phone: Phone):
    assert steps_of(phone) == [("done", False), ("done", False), ("current", True), ("ahead", False)]


def test_times_are_those_of_the_configuration(link: Issued):
    display = TimeDisplayConfig.load()
    display.sales_time_format, display.timezone = "DD/MM/YYYY HH:mm:ss", "America/New_York"
    display.save()
    phone = Phone()
    phone.open(link.url)
    assert "01/02/2026 03:20:00" in phone.text  # paid
    assert "01/02/2026 21:30:00" in phone.text  # went on to “shipped”
    assert 'datetime="2026-02-02T02:30:00+00:00"' in phone.answer.content.decode()


def test_the_time_of_payment_can_be_hidden(link: Issued):
    display = TimeDisplayConfig.load()
    display.show_payment_time = False
    display.save()
    phone = Phone()
    phone.open(link.url)
    assert "2026-02-01 16:20" not in phone.text


def test_history_is_told_newest_first(phone: Phone):
    history = phone.answer.content.decode().partition('class="history"')[2]
    assert history.index("10:30") < history.index("09:30")


def test_a_project_without_history_says_so(copied: Callable[..., ProjectCache]):
    phone = Phone()
    phone.client.cookies["django_language"] = "en"
    phone.open(issue(copied(), user_id="C1", user_name="王芳", access_type="customer").url)
    assert "The status has not changed" in phone.text


def test_what_we_do_not_know_stands_under_more(phone: Phone):
    more = phone.answer.content.decode().partition("<details>")[2].partition("</details>")[0]
    assert "Rack unit" in more and "B-12" in more
    assert "SF140099887766" not in more


def test_a_projects_own_words_are_no_markup(copied: Callable[..., ProjectCache]):
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    project = copied(title=nasty, product=nasty, **{nasty: nasty})
    phone = Phone()
    answer = phone.open(issue(project, user_id="C1", user_name=nasty, access_type="customer").url)
    assert answer.status_code == 200
    assert b"<script" not in answer.content
    assert b"<img src=x" not in answer.content


@pytest.mark.parametrize(
    ("ago", "zh", "en"),
    [
        (timedelta(seconds=5), "刚刚", "just now"),
        (timedelta(minutes=5), "5分钟前", "5 minutes ago"),
        (timedelta(minutes=29), "29分钟前", "29 minutes ago"),
    ],
)
def test_the_age_is_said_as_people_do(ago: timedelta, zh: str, en: str, copied: Callable[..., ProjectCache]):
    phone = Phone()
    phone.open(issue(copied(ago), user_id="C1", user_name="王芳", access_type="customer").url)
    assert zh in phone.text
    phone.press("English")
    assert en in phone.text


def test_the_language_is_chosen_on_the_page_and_stays(phone: Phone):
    assert '<html lang="zh-hans">' in phone.answer.content.decode()
    phone.press("English")
    assert phone.answer.redirect_chain == [("/project/SO-1", 302)]
    assert '<html lang="en">' in phone.answer.content.decode()
    assert "Shipped<" in phone.answer.content.decode()
    phone.open("/project/SO-1")
    assert '<html lang="en">' in phone.answer.content.decode()
    phone.press("中文")
    assert '<html lang="zh-hans">' in phone.answer.content.decode()


def test_the_language_form_leads_nowhere_else(phone: Phone):
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', phone.answer.content.decode())
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "language": "en", "next": "https://elsewhere.example/"}
    answer = phone.client.post("/project/SO-1/language", fields, headers={"origin": "null"})
    assert "elsewhere" not in answer.headers["Location"]


class TestOldCopies:
    def test_a_copy_that_is_due_is_confirmed_on_the_way(self, copied: Callable[..., ProjectCache], library: Any):
        phone = self.opened(copied(timedelta(hours=2)), "en")
        assert library.asked == 1
        assert "just now" in phone.text
        assert "banner" not in phone.answer.content.decode()

    @pytest.mark.parametrize(("language", "words"), [("en", "This may be out of date"), ("zh-hans", None)])
    def test_when_the_library_is_away_the_copy_says_it_is_old(
        self, copied: Callable[..., ProjectCache], library: Any, language: str, words: str | None
    ):
        project = copied(timedelta(hours=2))
        library.down = True
        phone = self.opened(project, language)
        assert phone.answer.status_code == 200
        assert 'class="banner warn"' in phone.answer.content.decode()
        assert project.title in phone.text
        assert words is None or words in phone.text

    def test_a_project_that_left_the_library_says_so(self, copied: Callable[..., ProjectCache]):
        project = copied(timedelta(hours=2))
        ProjectCache.objects.update(removed_at=timezone.now() - timedelta(days=1))
        phone = self.opened(project, "en")
        assert "This project has left our library" in phone.text
        assert "refresh" not in phone.answer.content.decode()

    def opened(self, project: ProjectCache, language: str = "zh-hans") -> Phone:
        phone = Phone()
        phone.client.cookies["django_language"] = language
        phone.open(issue(project, user_id="C1", user_name="王芳", access_type="customer").url)
        return phone


class TestStaff:
    def logged_in(self, *rights: str, **fields: Any) -> Client:
        user = User.objects.create_user("clerk", **{"is_staff": True} | fields)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        client.cookies["django_language"] = "en"
        return client

    def test_who_may_see_projects_needs_no_link(self, project: ProjectCache):
        answer = self.logged_in("view_projectcache").get("/project/SO-1")
        assert answer.status_code == 200
        assert "Preview for staff" in answer.content.decode()
        assert "13812348888" not in answer.content.decode()

    def test_numbers_are_for_who_may_see_them(self, project: ProjectCache):
        answer = self.logged_in("view_projectcache", "view_phone").get("/project/SO-1")
        assert "13812348888" in answer.content.decode()

    def test_there_may_be_no_such_project(self, project: ProjectCache):
        answer = self.logged_in("view_projectcache").get("/project/SO-9")
        assert (answer.status_code, "There is no such project" in answer.content.decode()) == (404, True)

    @pytest.mark.parametrize("remote_id", ["%00", "x" * 300, "%ED%A0%80", " "])
    def test_no_id_is_strange_enough_to_break_anything(self, remote_id: str, project: ProjectCache):
        client = self.logged_in("view_projectcache")
        assert client.get(f"/project/{remote_id}").status_code == 404
        assert client.post(f"/project/{remote_id}/refresh", follow=True).status_code == 404
        assert access_log.flush()
        assert Client().get(f"/project/{remote_id}").status_code == 401

    def test_their_looks_are_logged_with_their_name(self, project: ProjectCache):
        self.logged_in("view_projectcache").get("/project/SO-1")
        assert access_log.flush()
        row = ProjectAccessLog.objects.get()
        assert (row.person, row.door, row.outcome, row.token) == ("clerk", "page", "allowed", None)

    def test_they_may_refresh(self, project: ProjectCache, library: Any):
        answer = self.logged_in("view_projectcache").post("/project/SO-1/refresh", follow=True)
        assert "This is the latest state." in answer.content.decode()
        assert library.asked == 1

    def test_other_staff_are_strangers(self, project: ProjectCache):
        assert self.logged_in("view_quote").get("/project/SO-1").status_code == 401

    def test_the_right_alone_is_not_enough(self, project: ProjectCache):
        assert self.logged_in("view_projectcache", is_staff=False).get("/project/SO-1").status_code == 401

    def test_with_a_customers_link_they_see_what_the_customer_sees(self, link: Issued):
        client = self.logged_in("view_projectcache", "view_phone")
        client.get("/project/SO-1", {"token": link.token})
        page = client.get("/project/SO-1").content.decode()
        assert "Preview for staff" not in page
        assert "13812348888" not in page


def test_a_look_costs_few_queries(phone: Phone, django_assert_max_num_queries: Any):
    with django_assert_max_num_queries(4):
        phone.open("/project/SO-1")


def test_many_changes_do_not_make_the_page_endless(phone: Phone, project: ProjectCache, source: RemoteSource):
    ProjectStatusChange.objects.bulk_create(
        ProjectStatusChange(
            project=project, remote_id="SO-1", title="", type="sales", old_status="pending", new_status="processing"
        )
        for _ in range(60)
    )
    phone.open("/project/SO-1")
    assert phone.answer.content.decode().partition('class="history"')[2].count("<li>") == 30
