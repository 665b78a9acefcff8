"""Customers, tags and changing members in the stand-in: what the API tells, which callbacks come, and the phone."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from wecom.tests.standin.conftest import Receiver, Standin

BATCH = "externalcontact/batch/get_by_user"


def add(standin: Standin, userid: str = "li.mei", **told: Any) -> str:
    return str(standin.post("customers", userid=userid, **told)["external_userid"])


def test_a_customer_comes_once_for_each_member_with_ids_of_tags(standin: Standin) -> None:
    standin.post("tags/g", name="等级", order=5, tags={"vip": "重要"})
    key = add(standin, name="王强", remark="老王", tag_id=["vip"], state="expo")
    standin.post("customers", external_userid=key, userid="chen.yu")
    answer = standin.call(BATCH, {"userid_list": ["li.mei", "chen.yu"]})
    rows = answer["external_contact_list"]
    assert [(row["external_contact"]["name"], row["follow_info"]["userid"]) for row in rows] == [
        ("王强", "li.mei"),
        ("王强", "chen.yu"),
    ]
    assert (rows[0]["follow_info"]["tag_id"], rows[0]["follow_info"]["state"]) == (["vip"], "expo")
    assert (answer["next_cursor"], answer["fail_info"]) == ("", {"unlicensed_userid_list": []})
    detail = standin.call("externalcontact/get", external_userid=key)
    assert detail["follow_user"][0]["tags"] == [{"group_name": "等级", "tag_name": "重要", "tag_id": "vip", "type": 1}]
    assert standin.call("externalcontact/list", userid="chen.yu")["external_userid"] == [key]


def test_pages_end_with_an_empty_cursor_and_hold_a_hundred_at_most(standin: Standin) -> None:
    for number in range(120):
        add(standin, name=str(number), event=False)
    names, cursor = [], ""
    pages = 0
    while True:
        answer = standin.call(BATCH, {"userid_list": ["li.mei"], "limit": 1000, "cursor": cursor})
        names += [row["external_contact"]["name"] for row in answer["external_contact_list"]]
        pages, cursor = pages + 1, answer["next_cursor"]
        if not cursor:
            break
    assert names == [str(number) for number in range(120)]
    assert pages == 2
    assert len(standin.call(BATCH, {"userid_list": ["li.mei"]})["external_contact_list"]) == 50
    assert standin.call(BATCH, {"userid_list": ["li.mei"], "cursor": "lost"})["errcode"] == 60268


def test_who_has_no_licence_is_named_and_nobody_with_one_is_an_error(standin: Standin) -> None:
    key = add(standin)
    standin.post("customers", external_userid=key, userid="chen.yu")
    standin.post("unlicensed", userids=["Chen.Yu"])
    answer = standin.call(BATCH, {"userid_list": ["li.mei", "chen.yu"]})
    assert answer["fail_info"] == {"unlicensed_userid_list": ["chen.yu"]}
    assert len(answer["external_contact_list"]) == 1
    assert standin.call(BATCH, {"userid_list": ["chen.yu"]})["errcode"] == 701008


def test_no_customers_are_84061(standin: Standin) -> None:
    assert standin.call(BATCH, {"userid_list": ["li.mei"]})["errcode"] == 84061
    assert standin.call("externalcontact/list", userid="li.mei")["errcode"] == 84061
    assert standin.call("externalcontact/get", external_userid="nobody")["errcode"] == 84061
    assert standin.call(BATCH, {"userid_list": ["m"] * 101})["errcode"] == 40058


def test_tags_are_listed_by_groups_and_found_by_id(standin: Standin) -> None:
    standin.post("tags/g", name="等级", tags={"vip": "重要", "big": "大"})
    standin.post("tags/h", name="来源", tags={"web": "网"})
    groups = standin.call("externalcontact/get_corp_tag_list", {})["tag_group"]
    assert [(group["group_id"], [tag["name"] for tag in group["tag"]]) for group in groups] == [
        ("g", ["重要", "大"]),
        ("h", ["网"]),
    ]
    (group,) = standin.call("externalcontact/get_corp_tag_list", {"tag_id": ["web"]})["tag_group"]
    assert group["group_id"] == "h"
    (group,) = standin.call("externalcontact/get_corp_tag_list", {"group_id": ["g"], "tag_id": ["web"]})["tag_group"]
    assert len(group["tag"]) == 2


def test_every_act_with_a_customer_raises_its_callback(standin: Standin, receiver: Receiver) -> None:
    key = add(standin, state="expo")
    for action in ("edit", "remove_member", "transfer_fail", "delete"):
        standin.post(f"customers/{key}/act", userid="li.mei", action=action, remark="neu")
    events = receiver.wait_for(5)
    assert [(event["Event"], event["ChangeType"]) for event in events] == [
        ("change_external_contact", change)
        for change in (
            "add_external_contact",
            "edit_external_contact",
            "del_follow_user",
            "transfer_fail",
            "del_external_contact",
        )
    ]
    assert {(event["UserID"], event["ExternalUserID"], event["FromUserName"]) for event in events} == {
        ("li.mei", key, "sys")
    }
    assert (events[0]["State"], events[3]["FailReason"]) == ("expo", "customer_refused")
    assert standin.get("customers")["customers"] == []


def test_tags_raise_callbacks_and_a_group_none_for_its_tags(standin: Standin, receiver: Receiver) -> None:
    standin.post("tags/g", name="等级", tags={"vip": "重要"})
    standin.post("tags/g", name="等级", tags={"vip": "VIP", "big": "大"})
    key = add(standin, tag_id=["vip"])
    requests.delete(f"{standin.url}/standin/api/tags/g", timeout=10).raise_for_status()
    events = [event for event in receiver.wait_for(6) if event["Event"] == "change_external_tag"]
    told = {(event["ChangeType"], event["Id"], event["TagType"]) for event in events}
    assert told == {
        ("create", "g", "tag_group"),
        ("create", "vip", "tag"),
        ("update", "vip", "tag"),
        ("create", "big", "tag"),
        ("delete", "g", "tag_group"),
    }
    assert standin.call("externalcontact/get", external_userid=key)["follow_user"][0]["tags"] == []


def test_members_come_move_are_renamed_and_leave(standin: Standin, receiver: Receiver) -> None:
    key = add(standin, event=False)
    standin.post("members/new.one/act", action="hire", name="新人", departments=[7])
    assert "new.one" in [one["userid"] for one in standin.call("user/list", department_id="7")["userlist"]]
    standin.post("members/new.one/act", action="change", name="改名")  # of which nobody is told
    standin.post("members/new.one/act", action="change", departments=[8, 2])
    standin.post("members/li.mei/act", action="rename", new_userid="li.mei2")
    assert standin.call("user/get", userid="li.mei")["errcode"] == 60111
    assert standin.call("user/get", userid="LI.MEI2")["name"] == "李梅"
    assert standin.call("externalcontact/list", userid="li.mei2")["external_userid"] == [key]
    standin.post("members/new.one/act", action="leave")
    assert standin.call("user/get", userid="new.one")["errcode"] == 60111
    told = [
        (event["ChangeType"], event["UserID"], event.get("NewUserID"), event.get("Department"))
        for event in receiver.wait_for(4)
    ]
    assert sorted(told, key=str) == sorted(
        [
            ("create_user", "new.one", None, "7"),
            ("update_user", "new.one", None, "8,2"),
            ("update_user", "li.mei", "li.mei2", "7"),
            ("delete_user", "new.one", None, None),
        ],
        key=str,
    )
    assert all("AgentID" not in event and "Name" not in event for event in receiver.events)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("members/nobody/act", {"action": "leave"}, 404),
        ("members/li.mei/act", {"action": "hire"}, 409),
        ("members/li.mei/act", {"action": "dance"}, 400),
        ("members/li.mei/act", {"action": "rename", "new_userid": "chen.yu"}, 400),
        ("customers", {"userid": "nobody"}, 400),
        ("customers", {"userid": "li.mei", "event": "no"}, 400),
        ("customers/nobody/act", {"action": "edit", "userid": "li.mei"}, 404),
        ("contact-events", {"event": "sys_approval_change", "change_type": "x"}, 400),
        ("unlicensed", {"userids": "li.mei"}, 400),
        ("tags/g", {"tags": ["vip"]}, 400),
    ],
)
def test_what_cannot_be_done_is_refused(standin: Standin, path: str, body: dict[str, Any], status: int) -> None:
    answer = requests.post(f"{standin.url}/standin/api/{path}", json=body, timeout=10)
    assert answer.status_code == status, answer.text


def test_any_callback_can_be_raised(standin: Standin, receiver: Receiver) -> None:
    standin.post("contact-events", event="change_contact", change_type="update_party", tags={"Id": 7, "ParentId": 3})
    (event,) = receiver.wait_for(1)
    assert (event["ChangeType"], event["Id"], event["ParentId"]) == ("update_party", "7", "3")


def test_a_reset_brings_everybody_back(standin: Standin) -> None:
    add(standin)
    standin.post("members/li.mei/act", action="leave")
    standin.post("reset")
    assert standin.call("user/get", token=None, userid="li.mei")["errcode"] in (0, 40014)
    assert standin.get("customers")["customers"] == []


def test_the_phone_shows_adds_and_deletes_customers(standin: Standin) -> None:
    page = f"{standin.url}/phone?as=li.mei&tab=customers"
    assert "王强" not in requests.get(page, timeout=10).text
    form = {"as": "li.mei", "action": "add", "name": "王强 <b>"}
    answer = requests.post(f"{standin.url}/phone/customers", data=form, timeout=10)
    assert "王强 &lt;b&gt;" in answer.text
    (customer,) = standin.get("customers")["customers"]
    form = {"as": "li.mei", "action": "delete", "key": customer["external_userid"]}
    assert "王强" not in requests.post(f"{standin.url}/phone/customers", data=form, timeout=10).text
    assert standin.get("customers")["customers"] == []
