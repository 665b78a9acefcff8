"""The made-up company through the directory calls, and the approval engine's own rules."""

from __future__ import annotations

import requests

from wecom.tests.standin.conftest import Standin


def test_departments_come_as_a_tree_in_scope(standin: Standin) -> None:
    departments = standin.call("department/list")["department"]
    assert [department["id"] for department in departments] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert departments[6]["parentid"] == 2
    assert departments[6]["department_leader"] == ["li.mei"]
    below = standin.call("department/simplelist", id="2")["department_id"]
    assert [department["id"] for department in below] == [2, 7, 8]
    assert standin.call("department/get", id="7")["department"]["name"] == "华东销售组"
    assert standin.call("department/get", id="9")["errcode"] == 60003  # exists, out of scope


def test_members_are_listed_one_level_deep_without_sensitive_fields(standin: Standin) -> None:
    assert standin.call("user/list", department_id="1")["userlist"] == []
    members = standin.call("user/list", department_id="7")["userlist"]
    assert [member["userid"] for member in members] == ["li.mei", "chen.yu"]
    assert members[0]["is_leader_in_dept"] == [1]
    assert members[1]["direct_leader"] == ["li.mei"]
    assert not {"mobile", "email", "avatar", "qr_code", "address", "biz_mail"} & set(members[0])
    assert standin.call("user/simplelist", department_id="6")["userlist"][1]["department"] == [3, 6]


def test_a_member_is_read_without_case_and_only_in_scope(standin: Standin) -> None:
    assert standin.call("user/get", userid="LI.MEI")["name"] == "李梅"
    assert standin.errcode("user/get", userid="guo.guest") == 60111
    assert standin.errcode("user/get") == 40003
    assert standin.errcode("user/list_id", {"cursor": ""}) == 48002


def test_an_engine_number_is_never_used_twice(standin: Standin) -> None:
    body = {"third_no": "CIS-1", "userid": "li.mei", "approvers": ["wang.boss"]}
    assert standin.post("engine/start", **body)["waiting_for"] == ["wang.boss"]
    again = requests.post(f"{standin.url}/standin/api/engine/start", json=body, timeout=10)
    assert again.status_code == 409
    assert standin.errcode("corp/getopenapprovaldata", {"thirdNo": "CIS-2"}) == 301025


def test_the_engine_spells_its_answer_its_own_way(standin: Standin) -> None:
    standin.post("engine/start", third_no="CIS-1", userid="li.mei", approvers=["sun.director", "wang.boss"])
    standin.act("CIS-1", "agree", "sun.director")
    data = standin.call("corp/getopenapprovaldata", {"thirdNo": "CIS-1"})["data"]
    assert (data["OpenSpstatus"], data["ApplyUsername"], data["ApproverStep"]) == (1, "李梅", 1)
    assert data["ApprovalNodes"]["ApprovalNode"][0]["Items"]["Item"][0]["ItemUserId"] == "sun.director"
    standin.act("CIS-1", "withdraw")
    assert standin.call("corp/getopenapprovaldata", {"thirdNo": "CIS-1"})["data"]["OpenSpstatus"] == 4


def test_the_engine_knows_no_payment_and_no_oa_number(standin: Standin) -> None:
    standin.post("engine/start", third_no="CIS-1", userid="li.mei", approvers=["wang.boss"])
    assert standin.act("CIS-1", "pay")[0] == 409
    assert standin.get("approvals/CIS-1")["sp_no"] is None
