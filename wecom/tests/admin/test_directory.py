"""The directory's pages: open with just the right they need, current, cheap, and edited by nobody where WeCom tells."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.testing.admin_browser import logged_in
from config.testing.people import staff
from wecom.models import (
    Department,
    DirectorySyncRun,
    ExternalContact,
    Follower,
    Member,
    MemberDepartment,
    Origin,
    Tag,
    TagGroup,
    WeComConfig,
)

pytestmark = pytest.mark.django_db

FACTS = ("department", "externalcontact", "taggroup", "directorysyncrun")
MODELS = (*FACTS, "member")


def address(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:wecom_{model}_{page}", args=args)


def listed(client: Any, model: str, **query: str) -> list[Any]:
    return list(client.get(address(model), query).context["cl"].result_list)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("model", MODELS)
def test_lists_and_pages_open_with_the_right_to_view(rows: dict[str, Any], model: str, language: str):
    client = logged_in(staff(f"wecom.view_{model}"), language)
    for url in (address(model), address(model, "change", rows[model].pk)):
        page = client.page(url)
        assert "<b>" not in page.split("<body", 1)[1].split("<main", 1)[-1]
        assert 'name="_save"' not in page
    assert address(model) in client.page(reverse("admin:index"))


@pytest.mark.parametrize("model", MODELS)
def test_without_the_right_the_door_stays_closed(rows: dict[str, Any], model: str):
    client = logged_in(staff("admin.view_logentry"))
    for url in (address(model), address(model, "change", rows[model].pk)):
        assert client.get(url).status_code == 403
    assert address(model) not in client.page(reverse("admin:index"))


@pytest.mark.parametrize("model", FACTS)
def test_nobody_edits_what_wecom_tells_not_even_a_superuser(rows: dict[str, Any], admin_user: User, model: str):
    client, pk = logged_in(admin_user), rows[model].pk
    assert 'name="_save"' not in client.page(address(model, "change", pk))
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", pk), {"name": "x"}).status_code == 403
    assert client.post(address(model, "delete", pk), {"post": "yes"}).status_code == 403


# -- departments -----------------------------------------------------------------------------------------------------


def test_departments_stand_below_their_parents_larger_orders_first(rows: dict[str, Any], admin_user: User):
    found = listed(logged_in(admin_user), "department")
    assert [(row.name, row.depth) for row in found] == [("总部", 0), ("研发部", 1), ("销售部", 1)]
    assert found[0].heads == "王总"
    assert [row.current for row in found] == [2, 0, 1]


def test_a_tree_of_many_pages_goes_on_where_it_ended(config: WeComConfig, admin_user: User):
    Department.objects.bulk_create(
        Department(config=config, remote_id=n, parent_remote_id=(n - 1) // 10, name=f"D{n}") for n in range(1, 151)
    )
    client = logged_in(admin_user)
    both = listed(client, "department") + listed(client, "department", p="2")
    assert len({row.pk for row in both}) == len(both) == 150
    seen: set[int] = set()
    for row in both:
        assert row.parent_remote_id in seen or row.parent_remote_id == 0
        seen.add(row.remote_id)


def test_departments_that_go_round_in_a_ring_are_listed_all_the_same(config: WeComConfig, admin_user: User):
    for number, parent in ((1, 2), (2, 1), (3, 99)):
        Department.objects.create(config=config, remote_id=number, parent_remote_id=parent, name=f"D{number}")
    client = logged_in(admin_user)
    assert {row.remote_id for row in listed(client, "department")} == {1, 2, 3}
    page = client.page(address("department", "change", Department.objects.get(remote_id=2).pk))
    assert "D1 / D2" in page


def test_a_department_is_found_by_name_and_keeps_its_depth(rows: dict[str, Any], admin_user: User):
    (found,) = listed(logged_in(admin_user), "department", q="销售")
    assert (found.pk, found.depth) == (rows["department"].pk, 1)


# -- members ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"boss", "member", "gone", "manual"}),
        ({"presence": "current"}, {"boss", "member", "manual"}),
        ({"presence": "gone"}, {"gone"}),
        ({"link": "suggested"}, {"member"}),
        ({"link": "linked"}, {"manual"}),
        ({"link": "none"}, {"boss", "gone"}),
        ({"origin__exact": "manual"}, {"manual"}),
        ({"q": "LI.MEI"}, {"member"}),
    ],
)
def test_members_by_presence_link_and_words(
    rows: dict[str, Any], lena: User, admin_user: User, query: dict[str, str], names: set[str]
):
    Member.objects.filter(pk=rows["member"].pk).update(suggested_user=lena)
    Member.objects.filter(pk=rows["manual"].pk).update(user=admin_user)
    found = listed(logged_in(admin_user), "member", **query)
    assert {row.pk for row in found} == {rows[name].pk for name in names}


def test_members_of_a_department_from_its_own_list(rows: dict[str, Any], admin_user: User):
    client = logged_in(admin_user)
    link = f"{address('member')}?departments__id__exact={rows['root'].pk}&amp;presence=current"
    assert link in client.page(address("department"))
    found = listed(client, "member", departments__id__exact=str(rows["root"].pk), presence="current")
    assert {row.pk for row in found} == {rows["boss"].pk, rows["member"].pk}


def test_places_are_shown_the_main_one_first(rows: dict[str, Any], admin_user: User):
    page = logged_in(admin_user).page(address("member"), q="li.mei")
    assert "销售部 (leader), 总部" in page


def test_of_a_synced_member_only_the_link_is_edited(rows: dict[str, Any], lena: User):
    client = logged_in(staff("wecom.view_member", "wecom.change_member", "wecom.delete_member"))
    url = address("member", "change", rows["member"].pk)
    assert set(client.get(url).context["adminform"].form.fields) == {"user"}
    data = {"user": lena.pk, "name": "X", "userid": "x", "places-TOTAL_FORMS": 0, "places-INITIAL_FORMS": 0}
    assert client.post(url, data).status_code == 302
    member = Member.objects.get(pk=rows["member"].pk)
    assert (member.user, member.name, member.userid) == (lena, "李<b>梅", "li.mei")
    assert client.post(address("member", "delete", member.pk), {"post": "yes"}).status_code == 403


def test_a_member_added_by_hand_stays_the_persons_own(rows: dict[str, Any]):
    client = logged_in(staff("wecom.view_member", "wecom.change_member", "wecom.delete_member"))
    url = address("member", "change", rows["manual"].pk)
    data = {"config": rows["manual"].config_id, "userid": "hand", "name": "Other name", "user": ""}
    assert client.post(url, data).status_code == 302
    assert Member.objects.get(pk=rows["manual"].pk).name == "Other name"
    assert client.post(address("member", "delete", rows["manual"].pk), {"post": "yes"}).status_code == 302
    assert not Member.objects.filter(pk=rows["manual"].pk).exists()


def test_a_list_deletes_no_synced_member(rows: dict[str, Any], admin_user: User):
    client = logged_in(admin_user)
    both = [rows["manual"].pk, rows["member"].pk]
    client.post(address("member"), {"action": "delete_selected", "_selected_action": both, "post": "yes"})
    assert Member.objects.filter(pk=rows["member"].pk).exists()


# -- suggestions -----------------------------------------------------------------------------------------------------


def suggest(member: Member, user: User) -> None:
    Member.objects.filter(pk=member.pk).update(suggested_user=user)


def test_a_suggestion_is_confirmed_by_a_person(rows: dict[str, Any], lena: User):
    suggest(rows["member"], lena)
    client = logged_in(staff("wecom.view_member", "wecom.change_member"))
    page, verb = (address("member", name, rows["member"].pk) for name in ("change", "confirm_suggestion_page"))
    assert verb in client.page(page)
    client.get(verb)
    assert Member.objects.get(pk=rows["member"].pk).user is None
    assert "Linked to lena." in client.told(verb)[0]
    member = Member.objects.get(pk=rows["member"].pk)
    assert (member.user, member.suggested_user) == (lena, None)
    assert verb not in client.page(page)


def test_suggestions_of_a_list_are_confirmed_on_their_own_merits(rows: dict[str, Any], lena: User):
    suggest(rows["member"], lena)
    client = logged_in(staff("wecom.view_member", "wecom.change_member"))
    chosen = {"action": "confirm_suggestion", "_selected_action": [rows["member"].pk, rows["boss"].pk]}
    assert "Confirm suggestion" in client.post(address("member"), chosen).content.decode()
    told = client.told(address("member"), {**chosen, "confirmed": "yes"})
    assert len(told) == 2
    assert "1 done" in told[0]
    assert "Nobody is suggested" in told[1]
    assert Member.objects.get(pk=rows["member"].pk).user == lena


def test_nobody_becomes_a_superuser_by_a_suggestion(rows: dict[str, Any], admin_user: User):
    suggest(rows["member"], admin_user)
    client = logged_in(staff("wecom.view_member", "wecom.change_member"))
    verb = address("member", "confirm_suggestion_page", rows["member"].pk)
    assert verb not in client.page(address("member", "change", rows["member"].pk))
    assert "Only a superuser" in client.told(verb)[0]
    assert Member.objects.get(pk=rows["member"].pk).user is None
    assert "Linked to" in logged_in(admin_user).told(verb)[0]


def test_looking_confirms_nothing(rows: dict[str, Any], lena: User):
    suggest(rows["member"], lena)
    client = logged_in(staff("wecom.view_member"))
    assert client.post(address("member", "confirm_suggestion_page", rows["member"].pk)).status_code == 403


def test_how_a_member_is_reached_is_told_only_to_who_may_see_numbers(rows: dict[str, Any]):
    reached = {"mobile": "13900001111", "telephone": "02162223333", "email": "li@example.com", "biz_mail": "li@corp.cn"}
    Member.objects.filter(pk=rows["member"].pk).update(**reached, extra={"english_name": "May"}, content_hash="abc")
    page = address("member", "change", rows["member"].pk)
    filters = {**{f"{name}__startswith": value[:2] for name, value in reached.items()}, "extra__english_name": "May"}
    for rights in (["wecom.view_member"], ["wecom.view_member", "wecom.change_member"]):
        some = logged_in(staff(*rights, name=f"lin{len(rights)}"))
        shown = some.page(page)
        assert "139****1111" in shown and "021****3333" in shown
        assert [value for value in reached.values() if value in shown] == []
        for name, value in {**filters, "content_hash": "abc"}.items():
            assert some.get(address("member"), {name: value}).status_code == 400
    full = logged_in(staff("wecom.view_member", "wecom.view_customer_phone", name="mara"))
    shown = full.page(page)
    assert [value for value in reached.values() if value not in shown] == []
    for name, value in filters.items():
        assert [row.pk for row in listed(full, "member", **{name: value})] == [rows["member"].pk]


# -- customers -------------------------------------------------------------------------------------------------------


def test_phones_by_remark_are_masked_unless_somebody_may_see_them(rows: dict[str, Any]):
    page = address("externalcontact", "change", rows["externalcontact"].pk)
    some = logged_in(staff("wecom.view_externalcontact")).page(page)
    assert "138****8888" in some
    assert "13812348888" not in some
    rights = ("wecom.view_externalcontact", "wecom.view_customer_phone")
    assert "13812348888" in logged_in(staff(*rights, name="mara")).page(page)


def test_customers_show_who_knows_them_and_their_tags(rows: dict[str, Any], admin_user: User):
    client = logged_in(admin_user)
    for page in (client.page(address("externalcontact")), client.page(address("taggroup"))):
        assert "重要" in page
    assert "李&lt;b&gt;梅, stranger" in client.page(address("externalcontact"))
    assert len(listed(client, "externalcontact", tag=str(rows["tag"].pk))) == 1
    Follower.objects.update(deleted_at=timezone.now())
    assert listed(client, "externalcontact", tag=str(rows["tag"].pk)) == []
    assert len(listed(client, "externalcontact", tag="nonsense")) == 1


# -- elsewhere -------------------------------------------------------------------------------------------------------


def test_the_first_page_counts_suggestions(rows: dict[str, Any], lena: User):
    suggest(rows["member"], lena)
    suggest(rows["gone"], lena)
    client = logged_in(staff("wecom.view_member", "wecom.change_member"))
    (card,) = client.get(reverse("admin:index")).context["cards"]
    assert card.count == 1
    assert len(client.get(card.url).context["cl"].result_list) == 1


# -- cost ------------------------------------------------------------------------------------------------------------

MOST_QUERIES = 14


def fill(config: WeComConfig, numbers: range) -> None:
    people = User.objects.bulk_create(User(username=f"u{n}") for n in numbers)
    departments = Department.objects.bulk_create(
        Department(config=config, remote_id=n, parent_remote_id=n // 3, name=f"D{n}", leaders=[f"m{n}"])
        for n in numbers
    )
    members = Member.objects.bulk_create(
        Member(config=config, userid=f"m{n}", name=f"M{n}", origin=Origin.WECOM, suggested_user=person)
        for n, person in zip(numbers, people, strict=True)
    )
    MemberDepartment.objects.bulk_create(
        MemberDepartment(member=member, department=department) for member in members for department in departments[:2]
    )
    group = TagGroup.objects.create(config=config, group_id=f"g{numbers.start}", name="g")
    tags = Tag.objects.bulk_create(Tag(config=config, group=group, tag_id=f"t{n}", name=f"T{n}") for n in numbers)
    customers = ExternalContact.objects.bulk_create(
        ExternalContact(config=config, external_userid=f"w{n}", name=f"C{n}") for n in numbers
    )
    followers = Follower.objects.bulk_create(
        Follower(customer=customer, userid=member.userid, member=member)
        for customer, member in zip(customers, members, strict=True)
    )
    for follower, tag in zip(followers, tags, strict=True):
        follower.tags.add(tag)
    TagGroup.objects.bulk_create(TagGroup(config=config, group_id=f"x{n}", name="g") for n in numbers)
    DirectorySyncRun.objects.bulk_create(
        DirectorySyncRun(config=config, sync_type="user", status="success", error_detail="long") for n in numbers
    )


def queries(client: Any, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        client.page(url)
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("model", MODELS)
def test_a_list_of_100_costs_what_a_list_of_10_costs(config: WeComConfig, admin_user: User, model: str):
    client = logged_in(admin_user)
    client.page(address(model))
    fill(config, range(100, 110))
    few = queries(client, address(model))
    fill(config, range(110, 200))
    many = queries(client, address(model))
    assert len(many) == len(few), (few, many)
    assert len(many) <= MOST_QUERIES, many
    assert not [sql for sql in many if "error_detail" in sql]
