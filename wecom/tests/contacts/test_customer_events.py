"""``change_external_contact`` and ``change_external_tag``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from wecom.models import CallbackEvent, ContactRefresh, DirectorySyncRun, ExternalContact, Follower, Tag, WeComConfig
from wecom.signals import contact_changed
from wecom.tests.contacts.conftest import happens, read_anew, synchronise
from wecom.tests.contacts.crm import Crm
from wecom.tests.contacts.mirror import picture
from wecom.tests.contacts.test_member_events import Heard
from wecom.tests.inbound import only_listener
from wecom.tests.peers import Peer

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMER, TAG = "change_external_contact", "change_external_tag"


@pytest.fixture
def heard() -> Any:
    listener = Heard()
    with only_listener(contact_changed, listener):
        yield listener


@pytest.fixture
def app_in_use(saved_app: WeComConfig, crm: Crm) -> WeComConfig:
    """Its customers were read: x of m and n, y of m; one group with two tags."""
    crm.group("g", vip="重要", big="大客户")
    crm.customer("x", "m", "n")
    crm.customer("y", "m")
    crm.follow("x", "m", tag_id=["vip"])
    assert synchronise(saved_app).status == "success"
    return saved_app


def same(config: WeComConfig, crm: Crm) -> bool:
    """What stands here is what a full run would make of it, which then has nothing to do."""
    assert picture(config) == crm.picture() | {"departments": {}, "members": {}}
    run = synchronise(config)
    return (run.created, run.updated, run.deleted) == (0, 0, 0)


@pytest.mark.parametrize("change", ["add_external_contact", "add_half_external_contact"])
def test_a_new_customer_is_read(app_in_use: WeComConfig, crm: Crm, heard: Heard, peer: Peer, change: str) -> None:
    crm.customer("new", "n")
    crm.follow("new", "n", remark="展会", tag_id=["big"])
    asked = len(peer.received)
    assert happens(app_in_use, CUSTOMER, change, UserID="n", ExternalUserID="new", State="expo") == "noted"
    assert len(peer.received) == asked  # the inbox talks to nobody
    assert not ExternalContact.objects.filter(external_userid="new").exists()
    assert read_anew() == 1
    assert heard.changes == [("customer", "created", "new")]
    assert same(app_in_use, crm)


def test_an_edited_customer_is_read_again(app_in_use: WeComConfig, crm: Crm, heard: Heard) -> None:
    crm.follow("x", "n", remark="新备注", tag_id=["big"])
    crm.contacts["x"]["name"] = "新名"
    assert happens(app_in_use, CUSTOMER, "edit_external_contact", UserID="n", ExternalUserID="x") == "noted"
    assert picture(app_in_use)["customers"]["x"] == "客户x"
    read_anew()
    assert heard.changes == [("customer", "updated", "x")]
    assert same(app_in_use, crm)


def test_a_customer_with_a_tag_that_is_new_brings_the_tags_along(app_in_use: WeComConfig, crm: Crm) -> None:
    crm.groups["g"]["tags"]["fresh"] = "新标签"
    crm.follow("x", "n", tag_id=["fresh"])
    happens(app_in_use, CUSTOMER, "edit_external_contact", UserID="n", ExternalUserID="x")
    read_anew()
    assert same(app_in_use, crm)


def test_a_customer_whom_a_member_deletes_is_gone_with_the_last(
    app_in_use: WeComConfig, crm: Crm, heard: Heard
) -> None:
    gone: dict[str, Any] = {"ExternalUserID": "x", "Source": "DELETE_BY_TRANSFER"}
    crm.unfollow("x", "m")
    assert happens(app_in_use, CUSTOMER, "del_external_contact", UserID="M", **gone) == "applied"
    assert ExternalContact.objects.get(external_userid="x").deleted_at is None
    crm.unfollow("x", "n")
    assert happens(app_in_use, CUSTOMER, "del_external_contact", UserID="n", **gone) == "applied"
    assert ExternalContact.objects.get(external_userid="x").deleted_at is not None
    assert happens(app_in_use, CUSTOMER, "del_external_contact", UserID="n", **gone) == "unchanged"
    assert heard.changes == [("customer", "updated", "x"), ("customer", "deleted", "x")]
    read_anew()
    assert same(app_in_use, crm)


def test_a_deletion_that_overtook_a_new_adding_is_put_right(app_in_use: WeComConfig, crm: Crm) -> None:
    happens(app_in_use, CUSTOMER, "add_external_contact", UserID="m", ExternalUserID="y")
    happens(app_in_use, CUSTOMER, "del_external_contact", UserID="m", ExternalUserID="y")
    assert ExternalContact.objects.get(external_userid="y").deleted_at is not None
    read_anew()
    assert same(app_in_use, crm)


def test_a_customer_who_removes_the_member_stays_and_it_is_noted(
    app_in_use: WeComConfig, crm: Crm, heard: Heard
) -> None:
    """WeCom goes on telling of both."""
    removed: dict[str, Any] = {"UserID": "m", "ExternalUserID": "y"}
    assert happens(app_in_use, CUSTOMER, "del_follow_user", **removed) == "applied"
    follower = Follower.objects.get(customer__external_userid="y")
    event = CallbackEvent.objects.get(change_type="del_follow_user")
    assert (follower.removed_by_customer_at, follower.deleted_at) == (event.event_time, None)
    assert heard.changes == [("customer", "updated", "y")]
    assert same(app_in_use, crm)
    follower.refresh_from_db()
    assert follower.removed_by_customer_at == event.event_time
    crm.follow("y", "m", createtime=int(datetime.now(UTC).timestamp()) + 1)
    happens(app_in_use, CUSTOMER, "add_external_contact", **removed)
    read_anew()
    follower.refresh_from_db()
    assert follower.removed_by_customer_at is None
    assert happens(app_in_use, CUSTOMER, "del_follow_user", age=100, **removed) == "unchanged"


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("customer_refused", "transfer_refused"),
        ("customer_limit_exceed", "transfer_limit"),
        ("another", "transfer_failed"),
    ],
)
def test_a_failed_hand_over_is_told_with_its_reason(
    app_in_use: WeComConfig, crm: Crm, heard: Heard, reason: str, outcome: str
) -> None:
    tags: dict[str, Any] = {"UserID": "n", "ExternalUserID": "y", "FailReason": reason}
    assert happens(app_in_use, CUSTOMER, "transfer_fail", **tags) == outcome
    assert heard.changes == [("customer", "transfer_failed", "y")]
    assert same(app_in_use, crm)


def test_tags_are_read_again_whatever_is_said_of_them(app_in_use: WeComConfig, crm: Crm, heard: Heard) -> None:
    crm.group("h", name="来源", order=9, web="网络")
    assert happens(app_in_use, TAG, "create", Id="h", TagType="tag_group") == "noted"
    assert happens(app_in_use, TAG, "create", Id="web", TagType="tag") == "noted"
    read_anew()
    assert same(app_in_use, crm)
    crm.groups["g"] |= {"name": "级别", "order": 5}
    crm.groups["g"]["tags"]["vip"] = "VIP"
    happens(app_in_use, TAG, "update", Id="vip", TagType="tag")
    happens(app_in_use, TAG, "shuffle", Id="")
    assert read_anew() == 1
    assert same(app_in_use, crm)
    assert heard.changes == [("tags", "updated", "")] * 2


def test_a_deleted_tag_is_taken_from_its_customers(app_in_use: WeComConfig, crm: Crm) -> None:
    del crm.groups["g"]["tags"]["vip"]
    crm.follow("x", "m")
    assert happens(app_in_use, TAG, "delete", Id="vip", TagType="tag") == "applied"
    assert picture(app_in_use)["tags"] == {"big": ["g", "大客户"]}
    read_anew()
    assert picture(app_in_use) == crm.picture() | {"departments": {}, "members": {}}


def test_with_its_group_every_tag_is_deleted(app_in_use: WeComConfig, crm: Crm, heard: Heard) -> None:
    del crm.groups["g"]
    crm.follow("x", "m")
    assert happens(app_in_use, TAG, "delete", Id="g", TagType="tag_group") == "applied"
    assert not Tag.objects.filter(deleted_at=None).exists()
    assert picture(app_in_use) == crm.picture() | {"departments": {}, "members": {}}
    assert happens(app_in_use, TAG, "delete", Id="g", TagType="tag_group") == "noted"
    assert heard.changes == [("tags", "deleted", "g")]
    read_anew()
    assert picture(app_in_use) == crm.picture() | {"departments": {}, "members": {}}


def test_callbacks_older_than_the_last_run_do_no_harm(app_in_use: WeComConfig, crm: Crm) -> None:
    for event, change, tags in [
        (CUSTOMER, "del_external_contact", {"UserID": "m", "ExternalUserID": "y"}),
        (CUSTOMER, "edit_external_contact", {"UserID": "m", "ExternalUserID": "y"}),
        (TAG, "delete", {"Id": "g", "TagType": "tag_group"}),
    ]:
        assert happens(app_in_use, event, change, age=3600, **tags) == "stale"
    assert read_anew() == 0
    assert same(app_in_use, crm)


def test_a_partial_run_makes_no_callback_old(app_in_use: WeComConfig, crm: Crm) -> None:
    """It has not read that member's customers."""
    crm.unlicensed = {"m"}
    synchronise(app_in_use)
    DirectorySyncRun.objects.filter(status="success").update(started_at=timezone.now() - timedelta(days=2))
    crm.unfollow("y", "m")
    gone: dict[str, Any] = {"UserID": "m", "ExternalUserID": "y"}
    assert happens(app_in_use, CUSTOMER, "del_external_contact", age=3600, **gone) == "applied"


def test_an_app_whose_customers_were_never_read_gets_none(saved_app: WeComConfig, crm: Crm) -> None:
    crm.customer("x", "m")
    synchronise(saved_app, "department")
    tags: dict[str, Any] = {"UserID": "m", "ExternalUserID": "x"}
    assert happens(saved_app, CUSTOMER, "add_external_contact", **tags) == "unsynchronised"
    assert happens(saved_app, TAG, "create", Id="t", TagType="tag") == "unsynchronised"
    assert ContactRefresh.objects.count() == 0


def test_what_names_nobody_is_ignored(app_in_use: WeComConfig) -> None:
    for change in (
        "add_external_contact",
        "edit_external_contact",
        "del_external_contact",
        "del_follow_user",
        "transfer_fail",
    ):
        assert happens(app_in_use, CUSTOMER, change, UserID="m") == "ignored"
    assert happens(app_in_use, CUSTOMER, "edit_external_contact", UserID="m", ExternalUserID="x" * 65) == "ignored"


def test_a_right_that_was_taken_away_is_a_dead_row_with_its_remedy(
    app_in_use: WeComConfig, crm: Crm, peer: Peer
) -> None:
    peer.answer("externalcontact/get", {"errcode": 84074, "errmsg": "no"})
    happens(app_in_use, CUSTOMER, "edit_external_contact", UserID="m", ExternalUserID="x")
    read_anew()
    row = ContactRefresh.objects.get()
    assert row.status == "dead"
    assert "客户联系 → 可调用接口的应用" in row.last_error
    assert picture(app_in_use)["customers"] == {"x": "客户x", "y": "客户y"}
