"""Runs over customers: joined, compared, applied together; around members who cannot be read; never too many gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wecom.contacts import refreshes
from wecom.directory_sync import runs
from wecom.directory_sync.customers import Customers
from wecom.directory_sync.customers_writing import CustomerWriting
from wecom.models import ContactRefresh, ExternalContact, Follower, Member, RefreshKind, Tag, TagGroup, WeComConfig
from wecom.tests.contacts.conftest import synchronise
from wecom.tests.contacts.crm import FIRST_SECOND, Crm
from wecom.tests.contacts.mirror import picture
from wecom.tests.peers import Peer

pytestmark = pytest.mark.django_db


def writes(captured: CaptureQueriesContext) -> list[str]:
    """The statements that changed rows of customers, followers or tags."""
    tables = [model._meta.db_table for model in (ExternalContact, Follower, Follower.tags.through, Tag, TagGroup)]
    return [
        query["sql"]
        for query in captured.captured_queries
        if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
        and any(f'"{table}"' in query["sql"] for table in tables)
    ]


def test_a_customer_of_several_members_is_one_row_with_followers_and_tags(saved_app: WeComConfig, crm: Crm) -> None:
    member = Member.objects.create(config=saved_app, userid="Li.Mei", name="李梅")
    crm.group("g", vip="重要", big="大客户")
    crm.customer("x", type=2, name="王强", position="采购", corp_name="恒远", gender=1)
    crm.follow("x", "li.mei", remark="老王", tag_id=["vip", "unknown"], remark_mobiles=["138"], add_way=3, state="expo")
    crm.follow("x", "chen.yu", tag_id=["big", "vip"])
    run = synchronise(saved_app)
    assert (run.status, run.fetched, run.created, run.failed) == ("success", 1, 1, 0)
    customer = ExternalContact.objects.get()
    assert (customer.name, customer.type, customer.position, customer.corp_name, customer.gender) == (
        "王强", 2, "采购", "恒远", 1
    )  # fmt: skip
    first = Follower.objects.get(userid="li.mei")
    assert (first.member, first.remark, first.remark_mobiles, first.add_way, first.state) == (
        member, "老王", ["138"], 3, "expo"
    )  # fmt: skip
    assert first.since == datetime.fromtimestamp(FIRST_SECOND, UTC)
    assert picture(saved_app)["follows"] == {"x li.mei": ["老王", ["vip"]], "x chen.yu": ["", ["big", "vip"]]}


def test_all_pages_of_all_members_are_read(saved_app: WeComConfig, crm: Crm, peer: Peer) -> None:
    for number in range(130):
        crm.customer(f"c{number}", f"m{number}")
        crm.follow(f"c{number}", "m0")
    run = synchronise(saved_app)
    assert (run.status, run.fetched, run.created) == ("success", 130, 130)
    assert Follower.objects.count() == 259
    asked = [request.body for request in peer.calls("externalcontact/batch/get_by_user")]
    # the first hundred members have 229 customers, the other thirty one each
    assert [(len(body["userid_list"]), body.get("cursor"), body["limit"]) for body in asked] == [
        (100, None, 100), (100, "100", 100), (100, "200", 100), (30, None, 100)
    ]  # fmt: skip
    assert run.calls_done == run.calls_expected == 6


def test_a_run_without_news_writes_nothing_and_one_with_news_only_those(saved_app: WeComConfig, crm: Crm) -> None:
    crm.group("g", vip="重要")
    for number in range(20):
        crm.customer(f"c{number}", "m", "n")
    crm.follow("c3", "m", tag_id=["vip"])
    synchronise(saved_app)
    with CaptureQueriesContext(connection) as captured:
        run = synchronise(saved_app)
    assert (run.status, run.unchanged, run.updated, run.created) == ("success", 20, 0, 0)
    assert writes(captured) == []
    before = dict(Follower.objects.values_list("pk", "content_hash"))
    crm.follow("c7", "m", remark="neu", tag_id=["vip"])
    crm.contacts["c9"]["name"] = "anders"
    run = synchronise(saved_app)
    assert (run.unchanged, run.updated, run.created, run.deleted) == (18, 2, 0, 0)
    after = dict(Follower.objects.values_list("pk", "content_hash"))
    assert sum(before[pk] != after[pk] for pk in before) == 1
    assert picture(saved_app) == crm.picture() | {"departments": {}, "members": {}}


def test_who_is_no_longer_told_of_is_marked_and_may_come_back(saved_app: WeComConfig, crm: Crm) -> None:
    crm.customer("both", "m", "n")
    crm.customer("only", "m")
    synchronise(saved_app)
    crm.unfollow("both", "m")
    crm.unfollow("only", "m")
    run = synchronise(saved_app)
    assert (run.updated, run.deleted, run.unchanged) == (1, 1, 0)
    gone = ExternalContact.objects.get(external_userid="only")
    assert gone.deleted_at is not None
    assert list(Follower.objects.filter(deleted_at=None).values_list("customer__external_userid", "userid")) == [
        ("both", "n")
    ]
    crm.customer("only", "m")
    assert synchronise(saved_app).updated == 1
    assert ExternalContact.objects.filter(pk=gone.pk, deleted_at=None).exists()
    assert picture(saved_app)["follows"] == {"both n": ["", []], "only m": ["", []]}


def test_members_without_a_licence_keep_their_customers_while_the_others_apply(
    saved_app: WeComConfig, crm: Crm
) -> None:
    crm.customer("a", "good")
    crm.customer("b", "poor")
    crm.customer("c", "poor", "good")
    synchronise(saved_app)
    crm.unlicensed = {"poor"}
    crm.unfollow("c", "good")
    crm.unfollow("c", "poor")  # which cannot be seen
    crm.follow("a", "good", remark="neu")
    run = synchronise(saved_app)
    assert (run.status, run.failed, run.updated, run.deleted) == ("partial", 1, 2, 0)
    assert "poor" in run.error_detail
    assert picture(saved_app)["follows"] == {"a good": ["neu", []], "b poor": ["", []], "c poor": ["", []]}
    crm.unlicensed = set()
    run = synchronise(saved_app)
    assert (run.status, run.deleted) == ("success", 1)


def test_when_nobody_has_a_licence_nothing_is_gone(saved_app: WeComConfig, crm: Crm) -> None:
    crm.customer("a", "m", "n")
    synchronise(saved_app)
    crm.unlicensed = {"m", "n"}
    run = synchronise(saved_app)
    assert (run.status, run.failed, run.deleted) == ("partial", 2, 0)
    assert picture(saved_app)["customers"] == {"a": "客户a"}


def test_a_member_without_customers_is_no_failure(saved_app: WeComConfig, crm: Crm) -> None:
    crm.sellers = ["newcomer"]
    run = synchronise(saved_app)
    assert (run.status, run.fetched, run.failed) == ("success", 0, 0)


@pytest.mark.parametrize("errcode", [60111, -1])
def test_one_member_who_cannot_be_read_is_found_among_many(saved_app: WeComConfig, crm: Crm, errcode: int) -> None:
    for number in range(100):
        crm.customer(f"c{number}", f"m{number}")
    synchronise(saved_app)
    crm.broken = {"m0": errcode}
    crm.contacts["c99"]["name"] = "neu"
    crm.contacts["c1"]["name"] = "auch"
    run = synchronise(saved_app)
    assert (run.status, run.failed, run.updated, run.deleted) == ("partial", 1, 2, 0)
    assert "m0" in run.error_detail


def test_wecom_that_is_away_fails_the_run_instead_of_every_member(saved_app: WeComConfig, crm: Crm, peer: Peer) -> None:
    for number in range(300):
        crm.customer(f"c{number}", f"m{number}")
    crm.broken = dict.fromkeys(crm.sellers, -1)
    run = synchronise(saved_app)
    assert (run.status, run.failed) == ("failed", 0)
    assert len(peer.calls("externalcontact/batch/get_by_user")) <= 32


@pytest.mark.parametrize("errcode", [48002, 84074])
@pytest.mark.parametrize("endpoint", ["get_follow_user_list", "get_corp_tag_list", "batch/get_by_user"])
def test_an_app_without_the_right_is_told_where_to_get_it(
    saved_app: WeComConfig, crm: Crm, peer: Peer, endpoint: str, errcode: int
) -> None:
    crm.customer("a", "m")
    synchronise(saved_app)
    before = picture(saved_app)
    peer.answer(f"externalcontact/{endpoint}", {"errcode": errcode, "errmsg": "no"})
    run = synchronise(saved_app, automatic=True)
    assert (run.status, run.retries) == ("failed", 0)
    assert "客户联系 → 可调用接口的应用" in run.message
    assert picture(saved_app) == before


def test_a_cursor_that_is_lost_begins_the_list_again(saved_app: WeComConfig, crm: Crm, peer: Peer) -> None:
    crm.most = 1
    crm.customer("a", "m")
    crm.customer("b", "m")
    lost = {"errcode": 50100, "errmsg": "lost"}
    peer.answer("externalcontact/batch/get_by_user", crm.batch, lost, lost, lost, lost, crm.batch)
    run = synchronise(saved_app)
    assert (run.status, run.fetched) == ("success", 2)


def test_a_cursor_that_goes_in_circles_ends(saved_app: WeComConfig, crm: Crm, peer: Peer) -> None:
    crm.customer("a", "m")
    circle = {"errcode": 0, "external_contact_list": [], "next_cursor": "same"}
    peer.answer("externalcontact/batch/get_by_user", circle)
    run = synchronise(saved_app)
    assert (run.status, run.failed) == ("partial", 1)


def test_an_answer_without_its_list_is_not_an_empty_list(saved_app: WeComConfig, crm: Crm, peer: Peer) -> None:
    crm.customer("a", "m")
    synchronise(saved_app)
    peer.answer("externalcontact/get_follow_user_list", {"errcode": 0})
    assert synchronise(saved_app).status == "failed"
    assert picture(saved_app)["customers"] == {"a": "客户a"}


def test_customers_without_an_id_let_nobody_go(saved_app: WeComConfig, crm: Crm) -> None:
    crm.customer("a", "m")
    crm.customer("b", "m")
    synchronise(saved_app)
    crm.contacts["b"]["external_userid"] = ""
    run = synchronise(saved_app)
    assert (run.status, run.failed, run.deleted, run.unchanged) == ("partial", 1, 0, 1)


def test_what_fails_while_it_is_written_leaves_nothing_behind(
    saved_app: WeComConfig, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.group("g", vip="重要")
    crm.customer("a", "m")
    synchronise(saved_app)
    before = picture(saved_app)
    crm.group("h", other="别的")
    crm.customer("b", "m")
    crm.unfollow("a", "m")

    def fails(*_: Any) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(CustomerWriting, "gone", fails)
    with pytest.raises(RuntimeError):
        synchronise(saved_app)
    assert picture(saved_app) == before


def test_the_brake_holds_and_force_lets_go(saved_app: WeComConfig, crm: Crm) -> None:
    for number in range(40):
        crm.customer(f"c{number}", "m")
    synchronise(saved_app)
    for number in range(11):
        crm.unfollow(f"c{number}", "m")
    run = synchronise(saved_app)
    assert run.status == "failed"
    assert ExternalContact.objects.filter(deleted_at=None).count() == 40
    run = synchronise(saved_app, force=True)
    assert (run.status, run.deleted, run.updated) == ("success", 11, 29)


def test_a_dry_run_tells_and_writes_nothing(saved_app: WeComConfig, crm: Crm) -> None:
    crm.customer("a", "m")
    crm.customer("b", "m")
    synchronise(saved_app)
    crm.customer("c", "m")
    crm.unfollow("a", "m")
    crm.follow("b", "m", remark="neu")
    with CaptureQueriesContext(connection) as captured:
        (part,) = runs.dry_run(saved_app, "customer").parts
    assert part.examples == {"created": ["客户c"], "updated": ["客户b"], "deleted": ["客户a"]}
    assert (part.current, part.fetched, part.unchanged) == (2, 2, 0)
    assert writes(captured) == []


def test_a_tag_that_goes_and_comes_back_is_taken_and_given_back(saved_app: WeComConfig, crm: Crm) -> None:
    crm.group("g", vip="重要", big="大")
    crm.customer("a", "m")
    crm.follow("a", "m", tag_id=["vip", "big"])
    synchronise(saved_app)
    group = crm.groups.pop("g")
    synchronise(saved_app)
    assert picture(saved_app)["tags"] == {} == picture(saved_app)["groups"]
    assert picture(saved_app)["follows"] == {"a m": ["", []]}
    crm.groups["g"] = group | {"name": "新", "tags": {"vip": "VIP"}}
    synchronise(saved_app)
    assert picture(saved_app)["tags"] == {"vip": ["g", "VIP"]}
    assert picture(saved_app)["follows"] == {"a m": ["", ["vip"]]}


def test_a_member_who_is_known_later_is_linked_then(saved_app: WeComConfig, crm: Crm) -> None:
    crm.customer("a", "li.mei")
    synchronise(saved_app)
    assert Follower.objects.get().member is None
    member = Member.objects.create(config=saved_app, userid="Li.Mei", name="李梅")
    synchronise(saved_app)
    assert Follower.objects.get().member == member


def test_another_spelling_of_a_userid_is_the_same_member(saved_app: WeComConfig, crm: Crm) -> None:
    crm.customer("a", "li.mei")
    synchronise(saved_app)
    crm.follows = {("a", "Li.Mei"): crm.follows["a", "li.mei"] | {"userid": "Li.Mei"}}
    crm.sellers = ["Li.Mei"]
    synchronise(saved_app)
    assert list(Follower.objects.values_list("userid", "deleted_at")) == [("Li.Mei", None)]


def test_a_run_leaves_alone_what_was_read_after_it_began(saved_app: WeComConfig, crm: Crm) -> None:
    """The run has read an old name; meanwhile a callback had the customer read again."""
    crm.customer("a", "m")
    crm.customer("b", "m")
    synchronise(saved_app)
    crm.contacts["a"]["name"] = "old"
    crm.contacts["b"]["name"] = "old too"
    run = runs.open_run(saved_app, "customer")

    def meanwhile(_run: Any) -> None:
        if _run.calls_done == 3 and crm.contacts["a"]["name"] == "old":
            crm.contacts["a"]["name"] = "newest"
            refreshes.mark_due(saved_app.pk, RefreshKind.CUSTOMER, "a")
            assert refreshes.process_due() == 1

    runs.run(run, tell=meanwhile)
    assert picture(saved_app)["customers"] == {"a": "newest", "b": "old too"}
    assert ContactRefresh.objects.get().updated_at < timezone.now()


def test_a_run_leaves_alone_tags_that_were_read_after_it_began(saved_app: WeComConfig, crm: Crm) -> None:
    crm.group("g", vip="old")
    crm.customer("a", "m")
    synchronise(saved_app)
    run = runs.open_run(saved_app, "customer")

    def meanwhile(_run: Any) -> None:
        if _run.calls_done == 2 and crm.groups["g"]["tags"] == {"vip": "old"}:
            crm.groups["g"]["tags"] = {"vip": "newest", "fresh": "neu"}
            refreshes.mark_due(saved_app.pk, RefreshKind.TAGS)
            assert refreshes.process_due() == 1

    runs.run(run, tell=meanwhile)
    assert picture(saved_app)["tags"] == {"vip": ["g", "newest"], "fresh": ["g", "neu"]}


def test_the_forecast_counts_the_calls_of_the_next_run(saved_app: WeComConfig, crm: Crm) -> None:
    for number in range(250):
        crm.customer(f"c{number}", f"m{number % 150}")
    run = synchronise(saved_app)
    assert abs(Customers.forecast(saved_app) - run.calls_done) <= 2
