"""What people do on the phone, and the rules of several approvers."""

from __future__ import annotations

import pytest

from wecom.tests.standin.conftest import Receiver, Standin, node


def statuses(standin: Standin, sp_no: str) -> tuple[int, list[int]]:
    """The form's status and its nodes'."""
    info = standin.detail(sp_no)
    return info["sp_status"], [entry.get("sp_status", 0) for entry in info["process_list"]["node_list"]]


def test_all_must_agree(standin: Standin) -> None:
    sp_no = standin.submit(nodes=[node("wang.boss", "zhao.vp", relation=1)])
    assert standin.act(sp_no, "agree", "zhao.vp")[1]["waiting_for"] == ["wang.boss"]
    assert statuses(standin, sp_no) == (1, [1])
    assert standin.act(sp_no, "agree", "wang.boss")[1]["status"] == "approved"
    assert statuses(standin, sp_no) == (2, [2])


def test_any_one_is_enough_and_the_other_stays_pending(standin: Standin) -> None:
    sp_no = standin.submit(nodes=[node("wang.boss", "zhao.vp", relation=2)])
    standin.act(sp_no, "agree", "zhao.vp")
    assert statuses(standin, sp_no) == (2, [2])
    people = standin.detail(sp_no)["process_list"]["node_list"][0]["sub_node_list"]
    assert [person["sp_yj"] for person in people] == [1, 2]
    assert standin.act(sp_no, "agree", "wang.boss")[0] == 409


def test_in_turn_waits_for_the_one_before(standin: Standin) -> None:
    sp_no = standin.submit(nodes=[node("wang.boss", "zhao.vp", relation=3)])
    assert standin.act(sp_no, "agree", "zhao.vp")[0] == 403
    standin.act(sp_no, "agree", "wang.boss")
    assert standin.act(sp_no, "agree", "zhao.vp")[1]["status"] == "approved"


def test_nodes_are_passed_one_after_another(standin: Standin) -> None:
    sp_no = standin.submit(nodes=[node("sun.director"), node("finance02", kind=2), node("finance01", kind=3)])
    assert standin.act(sp_no, "agree", "finance01")[0] == 403
    standin.act(sp_no, "agree", "sun.director")
    assert standin.act(sp_no, "agree", "finance01")[1]["status"] == "approved"
    assert statuses(standin, sp_no)[1] == [2, 0, 14]  # the copy has no verdict, the handler has handled


def test_one_rejection_ends_the_form(standin: Standin) -> None:
    sp_no = standin.submit(nodes=[node("wang.boss", "zhao.vp"), node("finance01")])
    code, approval = standin.act(sp_no, "reject", "zhao.vp", speech="太贵")
    assert (code, approval["status"], approval["waiting_for"]) == (200, "rejected", [])
    assert approval["nodes"][0]["people"][1]["speech"] == "太贵"
    assert standin.act(sp_no, "agree", "wang.boss")[0] == 409


def test_a_transfer_hands_the_decision_on(standin: Standin) -> None:
    sp_no = standin.submit()
    assert standin.act(sp_no, "transfer", "wang.boss", to="zhao.vp")[1]["waiting_for"] == ["zhao.vp"]
    assert standin.act(sp_no, "transfer", "zhao.vp", to="nobody")[0] == 400
    assert standin.act(sp_no, "agree", "wang.boss")[0] == 403
    assert standin.act(sp_no, "agree", "zhao.vp")[1]["status"] == "approved"


def test_a_return_reopens_the_earlier_node(standin: Standin) -> None:
    sp_no = standin.submit(nodes=[node("sun.director"), node("wang.boss")])
    assert standin.act(sp_no, "return", "sun.director")[0] == 409  # nobody before
    standin.act(sp_no, "agree", "sun.director")
    assert standin.act(sp_no, "return", "wang.boss")[1]["waiting_for"] == ["sun.director"]
    standin.act(sp_no, "agree", "sun.director")
    assert standin.act(sp_no, "agree", "wang.boss")[1]["status"] == "approved"


@pytest.mark.parametrize(
    ("before", "action", "userid", "outcome"),
    [
        ([], "withdraw", "li.mei", (200, "cancelled")),
        ([], "withdraw", "wang.boss", (403, None)),
        ([], "revoke", "li.mei", (409, None)),
        (["agree"], "withdraw", "li.mei", (409, None)),
        (["agree"], "revoke", "li.mei", (200, "revoked")),
        (["agree"], "pay", "finance01", (200, "paid")),
        (["reject"], "pay", "finance01", (409, None)),
        (["reject"], "delete", "admin.it", (200, "deleted")),
        (["delete"], "agree", "wang.boss", (409, None)),
        ([], "applaud", "li.mei", (400, None)),
    ],
)
def test_what_may_follow_what(
    standin: Standin, before: list[str], action: str, userid: str, outcome: tuple[int, str | None]
) -> None:
    sp_no = standin.submit()
    for earlier in before:
        assert standin.act(sp_no, earlier)[0] == 200
    code, approval = standin.act(sp_no, action, userid)
    assert (code, approval.get("status")) == outcome


def test_each_act_raises_its_event_and_delete_and_pay_none(standin: Standin, receiver: Receiver) -> None:
    sp_no = standin.submit(nodes=[node("sun.director"), node("wang.boss")])
    for action, more in (
        ("urge", {}),
        ("comment", {"userid": "finance01", "speech": "请补充付款条件"}),
        ("agree", {}),
        ("return", {}),
        ("transfer", {"to": "zhao.vp"}),
        ("agree", {}),
        ("agree", {}),
        ("pay", {}),
        ("delete", {}),
    ):
        assert standin.act(sp_no, action, **more)[0] == 200, action
    receiver.wait_for(8)
    assert receiver.changes() == ["1", "5", "10", "2", "11", "4", "2", "2"]
    assert standin.get("stats")["events"]["on_the_way"] == 0
    assert standin.get("stats")["approvals"] == {"total": 1, "deleted": 1}


def test_delete_may_raise_an_event_on_request(standin: Standin, receiver: Receiver) -> None:
    sp_no = standin.submit()
    standin.act(sp_no, "delete", event=True)
    assert receiver.wait_for(2)[1]["ApprovalInfo"]["SpStatus"] == "7"


def test_an_approval_is_found_by_our_number_in_its_form(standin: Standin) -> None:
    standin.post("bulk", third_nos=["CIS-1", "CIS-2"])
    assert standin.act("CIS-2", "agree")[1]["third_no"] == "CIS-2"
    found = standin.get("approvals", third_no="CIS-2", status="approved")["approvals"]
    assert [approval["third_no"] for approval in found] == ["CIS-2"]
    assert standin.get("approvals", waiting_for="wang.boss")["approvals"][0]["third_no"] == "CIS-1"
    assert standin.act("CIS-3", "agree")[0] == 404


def test_many_can_be_decided_at_once(standin: Standin, receiver: Receiver) -> None:
    numbers = [row["sp_no"] for row in standin.post("bulk", count=5)["approvals"]]
    standin.act(numbers[0], "reject")
    outcome = standin.post("bulk/act", keys=numbers, action="agree")
    assert outcome["done"] == 4
    assert list(outcome["failed"]) == [numbers[0]]
    events = receiver.wait_for(5)
    assert {event["ApprovalInfo"]["SpNoStr"] for event in events} == set(numbers)
