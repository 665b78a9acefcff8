"""Every page of the projects' admin: open to people with just the right it needs, closed to everybody else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from config.testing.admin_browser import logged_in
from config.testing.people import staff
from notifications.models import Notification
from projects import tokens
from projects.models import (
    ProjectAccessLog,
    ProjectAccessToken,
    ProjectCache,
    ProjectStatusChange,
    ProjectSyncHistory,
    RemoteSource,
    RunStatus,
)
from projects.telling import ABOUT
from projects.tests.staff import copied, project

pytestmark = pytest.mark.django_db

FACTS = (
    "projectcache",
    "projectsynchistory",
    "projectstatuschange",
    "projectaccesstoken",
    "projectaccesslog",
)
SETTINGS = ("projectsyncconfig", "timedisplayconfig")
MODELS = (*FACTS, "remotesource", *SETTINGS)


def address(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:projects_{model}_{page}", args=args)


STATISTICS = "/admin/projects/projectsynchistory/statistics/"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("model", MODELS)
def test_lists_and_pages_open_with_the_right_to_view(everything: dict[str, Any], model: str, language: str):
    client = logged_in(staff(f"projects.view_{model}"), language)
    response = client.get(address(model), follow=True)
    assert response.status_code == 200
    assert f'lang="{language}"' in response.content.decode()
    page = client.page(address(model, "change", everything[model].pk))
    assert "<b>" not in page.split("<body", 1)[1].split("<main", 1)[-1]
    assert 'name="_save"' not in page


@pytest.mark.parametrize("model", [*FACTS, "remotesource"])
def test_an_empty_list_says_what_would_be_there(db: None, model: str):
    client = logged_in(staff(f"projects.view_{model}"))
    page = client.page(address(model))
    assert "Nothing here yet" in page and "Nothing matches" not in page
    model_admin: Any = admin.site.get_model_admin(apps.get_model("projects", model))
    assert escape(str(model_admin.when_empty)) in page
    narrowed = {"status__exact": "failed"} if model == "projectsynchistory" else {"q": "nowhere"}
    page = client.page(address(model), **narrowed)
    assert "Nothing matches" in page and "Nothing here yet" not in page


@pytest.mark.parametrize("model", MODELS)
def test_without_the_right_the_door_stays_closed(everything: dict[str, Any], model: str):
    client = logged_in(staff("admin.view_logentry"))
    for url in (address(model), address(model, "change", everything[model].pk)):
        assert client.get(url).status_code == 403
    assert address(model) not in client.page(reverse("admin:index"))


@pytest.mark.parametrize("model", FACTS)
def test_nobody_edits_the_mirror_not_even_a_superuser(everything: dict[str, Any], admin_user: User, model: str):
    client, pk = logged_in(admin_user), everything[model].pk
    assert 'name="_save"' not in client.page(address(model, "change", pk))
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", pk), {"title": "x"}).status_code == 403
    assert client.post(address(model, "delete", pk), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.page(address(model))


@pytest.mark.parametrize("model", SETTINGS)
def test_settings_are_one_row(everything: dict[str, Any], admin_user: User, model: str):
    client = logged_in(admin_user)
    assert client.get(address(model)).headers["Location"] == address(model, "change", 1)
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "delete", 1), {"post": "yes"}).status_code == 403


def test_no_page_holds_a_secret(everything: dict[str, Any], admin_user: User):
    client = logged_in(admin_user)
    secrets = ("library-key-secret", everything["token"], everything["projectaccesstoken"].digest)
    for model in MODELS:
        for url in (address(model), address(model, "change", everything[model].pk)):
            text = client.get(url, follow=True).content.decode()
            assert not [secret for secret in secrets if secret in text], url
    assert "******" in client.page(address("remotesource", "change", everything["remotesource"].pk))
    viewer = logged_in(staff("projects.view_remotesource"))
    assert "library-key-secret" not in viewer.page(address("remotesource", "change", everything["remotesource"].pk))


# --- phone numbers ---------------------------------------------------------------------------------------------------


def test_numbers_are_masked_unless_somebody_may_see_them(everything: dict[str, Any]):
    page = address("projectcache", "change", everything["projectcache"].pk)
    masked = logged_in(staff("projects.view_projectcache")).page(page)
    assert "138****8888" in masked
    assert not re.findall(r"13812348888|13900001111|13700002222", masked)
    full = logged_in(staff("projects.view_projectcache", "projects.view_phone", name="mara")).page(page)
    assert all(number in full for number in ("13812348888", "13900001111", "13700002222"))


def test_a_search_for_a_number_finds_nothing_for_who_may_not_see_it(everything: dict[str, Any]):
    def found(client: Any) -> int:
        return len(client.get(address("projectcache"), {"q": "13812348888"}).context["cl"].result_list)

    assert found(logged_in(staff("projects.view_projectcache"))) == 0
    assert found(logged_in(staff("projects.view_projectcache", "projects.view_phone", name="mara"))) == 1


@pytest.mark.parametrize(
    "lookup",
    ["phone__startswith", "phone", "stakeholders__icontains", "stakeholders__0__phone", "extra__contact_phone"],
)
def test_nor_does_an_address_that_filters_by_it(everything: dict[str, Any], lookup: str):
    query = {lookup: "13812348888"}
    assert logged_in(staff("projects.view_projectcache")).get(address("projectcache"), query).status_code == 400
    seeing = logged_in(staff("projects.view_projectcache", "projects.view_phone", name="mara"))
    assert seeing.get(address("projectcache"), {"phone__startswith": "1381"}).context["cl"].result_count == 1
    assert seeing.get(address("projectcache"), {"phone__startswith": "1382"}).context["cl"].result_count == 0


# --- what the pages show ---------------------------------------------------------------------------------------------


def test_a_project_shows_its_changes_and_links_to_who_may_see_those(everything: dict[str, Any]):
    page = address("projectcache", "change", everything["projectcache"].pk)
    change = address("projectstatuschange", "change", everything["projectstatuschange"].pk)
    link = address("projectaccesstoken", "change", everything["projectaccesstoken"].pk)
    some = logged_in(staff("projects.view_projectcache")).page(page)
    assert change not in some
    assert link not in some
    rights = ("projects.view_projectcache", "projects.view_projectstatuschange", "projects.view_projectaccesstoken")
    more = logged_in(staff(*rights, name="mara")).page(page)
    assert change in more
    assert link in more


def test_what_is_wrong_with_a_copy_is_shown_where_something_is(everything: dict[str, Any]):
    client = logged_in(staff("projects.view_projectcache"))
    page = address("projectcache", "change", everything["projectcache"].pk)
    assert "kept for seven days" not in client.page(page) and "gives nothing usable" not in client.page(page)
    ProjectCache.objects.update(removed_at=timezone.now(), unconfirmed_since=timezone.now())
    assert "kept for seven days" in client.page(page) and "gives nothing usable" in client.page(page)


def test_a_change_leads_to_the_messages_about_it(everything: dict[str, Any], admin_user: User):
    client = logged_in(admin_user)
    change = everything["projectstatuschange"]
    page = client.page(address("projectstatuschange", "change", change.pk))
    url = f"/admin/notifications/notification/?about=project-change%3A{change.pk}"
    assert url in page
    rows = client.get(url).context["cl"].result_list
    assert [row.about for row in rows] == [f"{ABOUT}{change.pk}"]


def test_a_run_shows_what_came_of_it(everything: dict[str, Any], admin_user: User):
    page = logged_in(admin_user).page(address("projectsynchistory", "change", everything["projectsynchistory"].pk))
    assert "The library &lt;b&gt;stopped&lt;/b&gt; answering." in page
    assert "5.6 seconds" in page
    assert 'data-open="false"' in page


def test_statistics_for_who_may_see_runs(everything: dict[str, Any]):
    page = logged_in(staff("projects.view_projectsynchistory")).page(STATISTICS)
    assert page.count('class="chart"') == 3
    assert "<script>" not in page
    assert logged_in(staff("projects.view_projectcache", name="mara")).get(STATISTICS).status_code == 403
    for name, expected in (("view", "projects.view_projectsynchistory"), ("sync", "projects.sync_remotesource")):
        assert STATISTICS in logged_in(staff(expected, name=name)).page(reverse("admin:index"))


def test_the_customers_page_is_one_click_away(everything: dict[str, Any]):
    client = logged_in(staff("projects.view_projectcache"))
    lead = address("projectcache", "open_page", everything["projectcache"].pk)
    assert lead in client.page(address("projectcache", "change", everything["projectcache"].pk))
    assert client.get(lead).headers["Location"] == "/project/P-1"
    assert logged_in(staff(name="mara")).get(lead).status_code == 403


# --- filters ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def copies(source: RemoteSource) -> dict[str, ProjectCache]:
    now = timezone.now()
    rows = {
        name: copied(source, project(number, type="aftersales" if number == 2 else "sales"))
        for number, name in enumerate(("current", "expiring", "expired", "gone"), start=1)
    }
    for name, age in (("expiring", 25), ("expired", 31), ("gone", 31)):
        ProjectCache.objects.filter(pk=rows[name].pk).update(fetched_at=now - timedelta(minutes=age))
    ProjectCache.objects.filter(pk=rows["gone"].pk).update(removed_at=now)
    return rows


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"age": "expired"}, {"expired"}),
        ({"age": "expiring"}, {"expiring"}),
        ({"age": "gone"}, {"gone"}),
        ({"age": "nonsense"}, {"current", "expiring", "expired", "gone"}),
        ({"type__exact": "aftersales"}, {"expiring"}),
        ({"status__exact": "shipped"}, set()),
        ({"q": "P-3"}, {"expired"}),
        ({"q": '"Pump 1"'}, {"current"}),
    ],
)
def test_projects_by_age_type_and_words(
    copies: dict[str, ProjectCache], admin_user: User, query: dict[str, str], names: set[str]
):
    rows = logged_in(admin_user).get(address("projectcache"), query).context["cl"].result_list
    assert {row.pk for row in rows} == {copies[name].pk for name in names}


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("valid", {"valid", "expiring"}),
        ("expiring", {"expiring"}),
        ("expired", {"expired"}),
        ("revoked", {"revoked"}),
    ],
)
def test_links_by_state(copy: ProjectCache, admin_user: User, state: str, names: set[str]):
    for name, days in (("valid", 7), ("expiring", 1), ("expired", -1), ("revoked", 7)):
        row = tokens.issue(copy, user_id=name, user_name=name, access_type="customer").row
        ends = {"expires_at": timezone.now() + timedelta(days=days)}
        ProjectAccessToken.objects.filter(pk=row.pk).update(
            **ends, revoked_at=timezone.now() if name == "revoked" else None
        )
    rows = logged_in(admin_user).get(address("projectaccesstoken"), {"state": state}).context["cl"].result_list
    assert {row.user_id for row in rows} == names


def test_changes_by_what_became_of_their_messages(everything: dict[str, Any], admin_user: User):
    client = logged_in(admin_user)
    told = everything["projectstatuschange"]
    quiet = ProjectStatusChange.objects.create(
        remote_id="P-9", title="t", type="sales", old_status="pending", new_status="shipped"
    )

    def listed(state: str) -> list[Any]:
        return list(client.get(address("projectstatuschange"), {"messages": state}).context["cl"].result_list)

    assert (listed("pending"), listed("dead"), listed("none")) == ([told], [], [quiet])
    Notification.objects.update(status="dead")
    assert (listed("pending"), listed("dead")) == ([], [told])
    Notification.objects.update(status="succeeded")
    assert (listed("pending"), listed("dead")) == ([], [])


# --- cost ------------------------------------------------------------------------------------------------------------

MOST_QUERIES = 12


def fill(source: RemoteSource, rows: range) -> None:
    now = timezone.now()
    people = User.objects.bulk_create(User(username=f"u{n}") for n in rows)
    sources = RemoteSource.objects.bulk_create(
        RemoteSource(slug=f"s{n}", name=f"s{n}", base_url="http://localhost/x") for n in rows
    )
    runs = ProjectSyncHistory.objects.bulk_create(
        ProjectSyncHistory(source=one, status=RunStatus.SUCCESS, started_at=now, finished_at=now) for one in sources
    )
    copies = ProjectCache.objects.bulk_create(
        ProjectCache(remote_id=f"R{n}", source=one, type="sales", title="t", status="pending", document="{}",
                     fetched_at=now, changed_at=now)
        for n, one in zip(rows, sources, strict=True)
    )  # fmt: skip
    links = ProjectAccessToken.objects.bulk_create(
        ProjectAccessToken(digest=f"d{n}", project=copy, user_id="u", user_name="u", access_type="customer",
                           created_by=person, expires_at=now)
        for n, copy, person in zip(rows, copies, people, strict=True)
    )  # fmt: skip
    ProjectAccessLog.objects.bulk_create(
        ProjectAccessLog(token=link, user=person, remote_id="R", door="page", outcome="allowed")
        for link, person in zip(links, people, strict=True)
    )
    ProjectStatusChange.objects.bulk_create(
        ProjectStatusChange(run=run, project=copy, remote_id="R", title="t", type="sales", old_status="pending",
                            new_status="shipped", notices=1)
        for run, copy in zip(runs, copies, strict=True)
    )  # fmt: skip


def queries(client: Any, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        client.page(url)
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("model", [*FACTS, "remotesource"])
def test_a_list_of_100_costs_what_a_list_of_10_costs(source: RemoteSource, admin_user: User, model: str):
    client, url = logged_in(admin_user), f"{address(model)}?all="
    client.page(url)
    fill(source, range(10))
    few = queries(client, url)
    fill(source, range(10, 100))
    many = queries(client, url)
    assert len(many) == len(few), (few, many)
    assert len(many) <= MOST_QUERIES, many
    assert not [sql for sql in many if '"document"' in sql]  # kilobytes per row that no list shows


def test_a_projects_page_and_the_statistics_are_cheap(
    everything: dict[str, Any], source: RemoteSource, admin_user: User
):
    client = logged_in(admin_user)
    fill(source, range(100))
    assert len(queries(client, address("projectcache", "change", everything["projectcache"].pk))) <= 16
    assert len(queries(client, STATISTICS)) <= 6


def test_the_first_page_counts_expired_copies(copies: dict[str, ProjectCache], admin_user: User):
    cards = {str(card.label): card for card in logged_in(admin_user).get(reverse("admin:index")).context["cards"]}
    card = cards["Expired project copies"]
    assert (card.count, card.url) == (1, f"{address('projectcache')}?age=expired")
