"""``change_contact``: members and departments, one change after another, as old and new receivers are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from config.durable import LeaseLost
from wecom.contacts import refreshes
from wecom.directory_sync.progress import Progress
from wecom.models import ContactRefresh, Department, DirectorySyncRun, Follower, Member, Origin, WeComConfig
from wecom.signals import contact_changed
from wecom.tests.contacts.conftest import arrive, happens, read_anew, synchronise
from wecom.tests.contacts.crm import Crm
from wecom.tests.contacts.mirror import picture
from wecom.tests.inbound import only_listener
from wecom.tests.peers import Peer

pytestmark = pytest.mark.django_db(transaction=True)

CONTACT = "change_contact"


class Heard:
    def __init__(self) -> None:
        self.changes: list[tuple[str, str, str]] = []
        self.before: list[str] = []

    def __call__(self, *, kind: str, change: str, key: str, before: str, **_: Any) -> None:
        self.changes.append((kind, change, key))
        self.before.append(before)


@pytest.fixture
def heard() -> Iterator[Heard]:
    listener = Heard()
    with only_listener(contact_changed, listener):
        yield listener


@pytest.fixture
def app_in_use(saved_app: WeComConfig, crm: Crm) -> WeComConfig:
    """Its directory was read: li.mei and chen.yu in department 2, no sensitive fields."""
    crm.department(2, name="销售部")
    crm.department(3, name="财务部")
    crm.member("li.mei", 2, name="李梅")
    crm.member("chen.yu", 2, name="陈宇")
    assert synchronise(saved_app, "full").status == "success"
    return saved_app


def test_a_new_member_is_created_when_they_are_read(app_in_use: WeComConfig, crm: Crm, heard: Heard) -> None:
    crm.member("new", 2, 3, name="新人")
    assert happens(app_in_use, CONTACT, "create_user", UserID="new", Department="2,3") == "noted"
    assert not Member.objects.filter(userid="new").exists()
    assert read_anew() == 1
    assert picture(app_in_use) == crm.picture()
    assert heard.changes == [("member", "created", "new")]
    run = synchronise(app_in_use, "full")
    assert (run.created, run.updated, run.deleted) == (0, 0, 0)


def test_a_new_member_whom_the_app_cannot_see_is_not_created(app_in_use: WeComConfig, crm: Crm) -> None:
    crm.member("hidden", 2)
    crm.outside = {"hidden"}
    happens(app_in_use, CONTACT, "create_user", UserID="hidden", Department="2", Name="藏")
    read_anew()
    assert not Member.objects.filter(userid="hidden").exists()


def test_what_comes_along_is_written_at_once_and_the_rest_stays(
    app_in_use: WeComConfig, crm: Crm, heard: Heard
) -> None:
    Member.objects.filter(userid="chen.yu").update(mobile="13800138000")
    told: dict[str, Any] = {
        "Name": "陈雨",
        "Position": "",
        "Mobile": "13900139000",
        "Department": "2,3",
        "IsLeaderInDept": "0,1",
    }
    assert happens(app_in_use, CONTACT, "update_user", UserID="LI.MEI", BizMail="li@qiming.cn", **told) == "applied"
    member = Member.objects.get(userid="li.mei")
    assert (member.name, member.position, member.mobile, member.biz_mail) == (
        "陈雨", "", "13900139000", "li@qiming.cn"
    )  # fmt: skip
    assert member.email is None  # nothing was told of it
    places = dict(member.places.values_list("department__remote_id", "is_leader"))
    assert places == {2: False, 3: True}
    assert Member.objects.get(userid="chen.yu").mobile == "13800138000"
    assert heard.changes == [("member", "updated", "li.mei")]
    assert happens(app_in_use, CONTACT, "update_user", UserID="li.mei", Status="2") == "applied"
    assert list(member.places.values_list("department__remote_id", flat=True).order_by("department__remote_id")) == [
        2,
        3,
    ]


def test_what_the_app_is_not_told_stays_as_the_callback_said(app_in_use: WeComConfig, crm: Crm) -> None:
    happens(app_in_use, CONTACT, "update_user", UserID="li.mei", Mobile="13900139000", Gender="0", Name="")
    read_anew()
    synchronise(app_in_use, "full")
    member = Member.objects.get(userid="li.mei")
    assert (member.name, member.mobile, member.gender) == ("李梅", "13900139000", None)


def test_a_callback_that_is_wrong_by_now_is_put_right_when_the_member_is_read(
    app_in_use: WeComConfig, crm: Crm
) -> None:
    happens(app_in_use, CONTACT, "update_user", UserID="li.mei", Name="Old", Department="3")
    happens(app_in_use, CONTACT, "delete_user", UserID="chen.yu")  # who has come back since
    assert not Member.objects.filter(userid="chen.yu", deleted_at=None).exists()
    assert read_anew() == 2
    assert picture(app_in_use) == crm.picture()


def test_a_leaver_is_marked_and_keeps_the_user(app_in_use: WeComConfig, crm: Crm, heard: Heard) -> None:
    user = User.objects.create_user("li")
    Member.objects.filter(userid="li.mei").update(user=user)
    crm.remove("li.mei")
    assert happens(app_in_use, CONTACT, "delete_user", UserID="li.mei") == "applied"
    assert happens(app_in_use, CONTACT, "delete_user", UserID="li.mei") == "unchanged"
    member = Member.objects.get(userid="li.mei")
    assert member.deleted_at is not None
    assert member.user == user
    read_anew()
    assert picture(app_in_use) == crm.picture()
    assert heard.changes == [("member", "deleted", "li.mei")]


def test_status_5_is_leaving(app_in_use: WeComConfig, crm: Crm) -> None:
    crm.members["li.mei"]["status"] = 5
    assert happens(app_in_use, CONTACT, "update_user", UserID="li.mei", Status="5") == "applied"
    read_anew()
    assert Member.objects.get(userid="li.mei").deleted_at is not None


def rename(crm: Crm, userid: str, new: str) -> None:
    told = crm.members.pop(userid)
    crm.members[new] = told | {"userid": new}
    for key, follow in list(crm.follows.items()):
        if key[1] == userid:
            del crm.follows[key]
            crm.follows[key[0], new] = follow | {"userid": new}
    crm.sellers = [new if one == userid else one for one in crm.sellers]


def test_a_renamed_member_keeps_row_user_and_customers(app_in_use: WeComConfig, crm: Crm, heard: Heard) -> None:
    crm.customer("x", "li.mei")
    synchronise(app_in_use)
    user = User.objects.create_user("li")
    member = Member.objects.get(userid="li.mei")
    Member.objects.filter(pk=member.pk).update(user=user)
    rename(crm, "li.mei", "li.mei2")
    happens(app_in_use, CONTACT, "update_user", UserID="li.mei", NewUserID="li.mei2", Department="2")
    read_anew()
    member.refresh_from_db()
    assert (member.userid, member.user, member.deleted_at) == ("li.mei2", user, None)
    follower = Follower.objects.get()
    assert (follower.userid, follower.member) == ("li.mei2", member)
    assert heard.changes[0] == ("member", "renamed", "li.mei2")
    assert heard.before[0] == "li.mei"
    run = synchronise(app_in_use, "full")
    assert (run.created, run.deleted) == (0, 0)
    assert picture(app_in_use) == crm.picture()


def test_a_rename_by_case_is_a_rename(app_in_use: WeComConfig, crm: Crm) -> None:
    rename(crm, "li.mei", "Li.Mei")
    happens(app_in_use, CONTACT, "update_user", UserID="li.mei", NewUserID="Li.Mei")
    assert Member.objects.filter(userid="Li.Mei", deleted_at=None).exists()
    read_anew()
    assert picture(app_in_use) == crm.picture()


@pytest.mark.parametrize("age", [0, 3600])
def test_a_rename_that_comes_after_a_run_hands_the_user_over(app_in_use: WeComConfig, crm: Crm, age: int) -> None:
    """The run has seen one leave and another come."""
    crm.customer("x", "li.mei")
    synchronise(app_in_use)
    user = User.objects.create_user("li")
    Member.objects.filter(userid="li.mei").update(user=user)
    rename(crm, "li.mei", "li.mei2")
    synchronise(app_in_use, "full")
    assert Member.objects.get(user=user).userid == "li.mei"
    happens(app_in_use, CONTACT, "update_user", age=age, UserID="li.mei", NewUserID="li.mei2")
    assert Member.objects.get(user=user).userid == "li.mei2"
    read_anew()
    assert picture(app_in_use) == crm.picture()


def test_an_old_rename_of_somebody_who_is_still_there_does_nothing(app_in_use: WeComConfig, crm: Crm) -> None:
    crm.member("other", 2)
    synchronise(app_in_use, "full")
    assert happens(app_in_use, CONTACT, "update_user", age=3600, UserID="li.mei", NewUserID="other") == "stale"
    assert picture(app_in_use) == crm.picture()


def test_callbacks_older_than_the_last_run_do_no_harm(app_in_use: WeComConfig, crm: Crm) -> None:
    for change, tags in [
        ("delete_user", {"UserID": "li.mei"}),
        ("update_user", {"UserID": "li.mei", "Name": "Old"}),
        ("create_user", {"UserID": "long.gone", "Name": "Gone"}),
        ("delete_party", {"Id": "2"}),
        ("update_party", {"Id": "2", "Name": "Old"}),
    ]:
        assert happens(app_in_use, CONTACT, change, age=3600, **tags) == "stale"
    assert read_anew() == 0
    assert picture(app_in_use) == crm.picture()


@pytest.mark.parametrize("change", ["create_user", "update_user", "delete_user"])
def test_an_app_whose_directory_was_never_read_gets_nothing_half_baked(
    saved_app: WeComConfig, crm: Crm, change: str
) -> None:
    crm.member("li.mei")
    assert happens(saved_app, CONTACT, change, UserID="li.mei", Name="李梅") == "unsynchronised"
    assert happens(saved_app, CONTACT, "create_party", Id="7", Name="x", ParentId="1") == "unsynchronised"
    assert (Member.objects.count(), Department.objects.count(), ContactRefresh.objects.count()) == (0, 0, 0)


def test_the_app_that_got_the_callback_decides(app_in_use: WeComConfig, crm: Crm) -> None:
    other = WeComConfig.objects.create(slug="other", name="o", corp_id="wwcorp", agent_id=1, secret="s")
    assert happens(other, CONTACT, "delete_user", UserID="li.mei") == "unsynchronised"
    assert picture(app_in_use) == crm.picture()


def test_rows_made_by_hand_are_left_alone_until_wecom_knows_them(app_in_use: WeComConfig, crm: Crm) -> None:
    made = Member.objects.create(config=app_in_use, userid="By.Hand", name="手工", origin=Origin.MANUAL)
    happens(app_in_use, CONTACT, "update_user", UserID="by.hand", Name="WeCom")
    happens(app_in_use, CONTACT, "delete_user", UserID="by.hand")
    read_anew()
    made.refresh_from_db()
    assert (made.name, made.origin, made.deleted_at) == ("手工", "manual", None)
    crm.member("by.hand", 2, name="微信")
    happens(app_in_use, CONTACT, "create_user", UserID="by.hand")
    read_anew()
    made.refresh_from_db()
    assert (made.name, made.origin) == ("微信", "wecom")


def test_departments_come_change_and_go(app_in_use: WeComConfig, crm: Crm, heard: Heard) -> None:
    crm.department(7, name="华东组", parentid=2)
    assert happens(app_in_use, CONTACT, "create_party", Id="7", ParentId="2") == "noted"
    read_anew()
    crm.departments[7] |= {"name": "华东", "parentid": 3}
    assert happens(app_in_use, CONTACT, "update_party", Id="7", Name="华东", ParentId="3") == "applied"
    department = Department.objects.get(remote_id=7)
    assert (department.name, department.parent_remote_id, department.order) == ("华东", 3, 93)
    read_anew()
    assert picture(app_in_use) == crm.picture()
    del crm.departments[7]
    assert happens(app_in_use, CONTACT, "delete_party", Id="7") == "applied"
    assert happens(app_in_use, CONTACT, "delete_party", Id="7") == "unchanged"
    read_anew()
    assert picture(app_in_use) == crm.picture()
    assert [change for _kind, change, _key in heard.changes] == ["created", "updated", "updated", "deleted"]


def test_a_member_brings_an_unknown_department_along(app_in_use: WeComConfig, crm: Crm) -> None:
    """The member's callback has overtaken the department's."""
    crm.department(9, name="新部门")
    crm.member("new", 9)
    happens(app_in_use, CONTACT, "create_user", UserID="new", Department="9")
    read_anew()
    read_anew()
    assert picture(app_in_use) == crm.picture()


def test_what_is_not_for_us_is_ignored_politely(app_in_use: WeComConfig) -> None:
    assert happens(app_in_use, CONTACT, "update_tag", TagId="1", AddUserItems="li.mei") == "ignored"
    assert happens(app_in_use, "change_external_chat", "create", ChatId="c") == "ignored"
    assert happens(app_in_use, CONTACT, "something_new", UserID="li.mei") == "ignored"
    assert happens(app_in_use, CONTACT, "delete_user") == "ignored"
    assert happens(app_in_use, CONTACT, "create_user", UserID="x" * 65) == "ignored"
    assert happens(app_in_use, CONTACT, "update_party", Id="x") == "ignored"
    assert ContactRefresh.objects.count() == 0


def test_many_callbacks_about_one_member_are_one_question(app_in_use: WeComConfig, crm: Crm, peer: Peer) -> None:
    before = len(peer.calls("user/get"))
    for number in range(5):
        arrive(app_in_use, CONTACT, "update_user", UserID="li.mei" if number % 2 else "Li.Mei", Position=number)
    happens(app_in_use, CONTACT, "update_user", UserID="LI.MEI")
    assert read_anew() == 1
    assert len(peer.calls("user/get")) - before == 1


def test_a_member_who_changes_while_they_are_read_is_read_once_more(
    app_in_use: WeComConfig, crm: Crm, peer: Peer
) -> None:
    def changes_meanwhile(request: Any) -> dict[str, Any]:
        answer = dict(crm.user_get(request))
        crm.members["li.mei"]["name"] = "Newest"
        peer.answer("user/get", crm.user_get)
        return answer

    happens(app_in_use, CONTACT, "update_user", UserID="li.mei")
    asked = peer.calls("user/get")
    peer.answer("user/get", changes_meanwhile)
    row = ContactRefresh.objects.get()
    (claimed,) = ContactRefresh.objects.claim_due(1)
    part = refreshes.PARTS["member"](
        refreshes.Glance(app_in_use, Progress(DirectorySyncRun()), since=claimed.created_at),
        "li.mei",
    )
    part.fetch()
    happens(app_in_use, CONTACT, "update_user", UserID="li.mei")
    row.refresh_from_db()
    assert row.status == "pending"
    with pytest.raises(LeaseLost):
        claimed.finish()
    assert read_anew() == 1
    assert picture(app_in_use) == crm.picture()
    assert len(peer.calls("user/get")) == len(asked) + 2


@pytest.mark.parametrize("errcode", [-1, 45009])
def test_what_cannot_be_read_now_is_read_later(app_in_use: WeComConfig, crm: Crm, peer: Peer, errcode: int) -> None:
    crm.members["li.mei"]["name"] = "Newest"
    crm.answer(peer, "user/get", {"errcode": errcode, "errmsg": "busy"})
    happens(app_in_use, CONTACT, "update_user", UserID="li.mei")
    read_anew()
    row = ContactRefresh.objects.get()
    assert row.status == "failed"
    assert Member.objects.get(userid="li.mei").name == "李梅"


def test_an_app_that_was_switched_off_asks_nothing(app_in_use: WeComConfig, crm: Crm, peer: Peer) -> None:
    happens(app_in_use, CONTACT, "update_user", UserID="li.mei")
    WeComConfig.objects.update(enabled=False)
    asked = len(peer.calls("user/get"))
    assert read_anew() == 1
    assert len(peer.calls("user/get")) == asked
