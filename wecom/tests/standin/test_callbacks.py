"""Callbacks as the product receives them, with everything that may happen to them on the way."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from config.testing.processes import wait_until
from wecom.snapshots import from_engine_data, from_engine_event, from_oa_detail, from_oa_event
from wecom.tests.standin.conftest import Receiver, Standin, node


def settled(standin: Standin) -> dict[str, int]:
    """The events by state once none is on its way."""
    events: dict[str, int] = wait_until(
        lambda: None if (found := standin.get("stats")["events"])["on_the_way"] else found, message="events settled"
    )
    return events


def test_the_event_is_the_documented_document(standin: Standin, receiver: Receiver) -> None:
    sp_no = standin.submit(nodes=[node("wang.boss", "zhao.vp", relation=2), node("finance01", kind=2)])
    standin.act(sp_no, "comment", "finance01", speech="请看 ]]> 附件")
    standin.act(sp_no, "agree", "wang.boss", speech="ok")
    event = receiver.wait_for(3)[2]
    info = event["ApprovalInfo"]

    assert (event["Event"], event["FromUserName"], event["AgentID"]) == ("sys_approval_change", "sys", "3010040")
    assert (info["SpNoStr"], info["SpNo"], info["SpStatus"], info["StatuChangeEvent"]) == (sp_no, sp_no, "2", "2")
    assert info["Applyer"] == {"UserId": "li.mei", "Party": "7"}
    assert info["SpRecord"][0]["ApproverAttr"] == "1"
    assert info["Notifyer"] == [{"UserId": "finance01"}]
    first, copy = info["ProcessList"]["NodeList"]
    assert (first["NodeType"], first["ApvRel"], first["SpStatus"]) == ("1", "2", "2")
    assert first["SubNodeList"][0]["Speech"] == "ok"
    assert int(first["SubNodeList"][0]["Sptime"]) > 0
    assert copy == {"NodeType": "2", "SubNodeList": [{"UserInfo": {"UserId": "finance01"}}]}
    assert info["Comments"][0]["CommentContent"] == "请看 ]]> 附件"


def test_the_product_reads_the_same_from_the_event_and_from_the_detail(standin: Standin, receiver: Receiver) -> None:
    sp_no = standin.submit(nodes=[node("wang.boss", "zhao.vp", relation=1), node("finance01", kind=2)])
    standin.act(sp_no, "reject", "zhao.vp", speech="太贵")
    told = from_oa_event(receiver.wait_for(2)[1], datetime.now(UTC))
    asked = from_oa_detail(standin.detail(sp_no))
    assert told.status == asked.status == "rejected"
    assert told.steps == asked.steps
    assert told.submitted_at == asked.submitted_at


def test_the_product_reads_the_same_from_an_engine_event_and_its_data(standin: Standin, receiver: Receiver) -> None:
    standin.post(
        "engine/start",
        third_no="CIS-9",
        userid="li.mei",
        approvers=["sun.director", {"userids": ["wang.boss", "zhao.vp"], "relation": "any"}],
        notify=["finance01"],
    )
    standin.act("CIS-9", "agree", "sun.director")
    told = from_engine_event(receiver.wait_for(2)[1], datetime.now(UTC))
    asked = from_engine_data(standin.call("corp/getopenapprovaldata", {"thirdNo": "CIS-9"})["data"])
    assert told.status == asked.status == "pending"
    assert told.third_no == "CIS-9"
    assert told.steps == asked.steps


def test_every_post_is_encrypted_afresh(standin: Standin, receiver: Receiver) -> None:
    standin.fault("callback_duplicate", times=3)
    standin.submit()
    events = receiver.wait_for(3)
    assert events[0] == events[1] == events[2]
    assert len(set(receiver.packets)) == 3


def test_the_submission_event_follows_the_answer(standin: Standin, receiver: Receiver) -> None:
    standin.fault("slow", endpoint="oa/applyevent", seconds=0.4, count=1)
    sp_no = standin.submit()
    answered = time.time()
    receiver.wait_for(1)
    assert settled(standin)["sent"] == 1  # it has arrived before its row says so
    assert standin.get("events", subject=sp_no)["events"][0]["finished_at"] >= answered - 0.1


def test_the_submission_event_can_overtake_the_answer(standin: Standin, receiver: Receiver) -> None:
    standin.fault("event_before_response", count=1)
    standin.submit()
    assert receiver.changes() == ["1"]


def test_no_answer_is_repeated_three_times_and_no_more(standin: Standin, receiver: Receiver) -> None:
    receiver.silent = 2
    sp_no = standin.submit()
    receiver.wait_for(1)
    assert settled(standin)["sent"] == 1
    assert standin.get("events", subject=sp_no)["events"][0]["attempts"] == 3

    receiver.silent = 10
    standin.act(sp_no, "agree")
    assert settled(standin)["failed"] == 1
    assert receiver.silent == 6


def test_a_refusal_is_not_repeated_unless_switched_on(standin: Standin, receiver: Receiver) -> None:
    receiver.status = 500
    sp_no = standin.submit()
    assert settled(standin)["refused"] == 1
    assert len(receiver.events) == 1

    standin.fault("callback_retry_refused")
    standin.act(sp_no, "agree")
    assert settled(standin)["refused"] == 2
    assert len(receiver.events) == 5


def test_dropped_callbacks_never_arrive(standin: Standin, receiver: Receiver) -> None:
    standin.fault("callback_drop", count=2)
    sp_no = standin.submit()
    standin.act(sp_no, "comment", speech="?")
    standin.act(sp_no, "agree")
    assert settled(standin)["dropped"] == 2
    assert receiver.changes() == ["2"]


def test_delayed_callbacks_arrive_later(standin: Standin, receiver: Receiver) -> None:
    standin.fault("callback_delay", seconds=0.5, count=1)
    sp_no = standin.submit()
    standin.act(sp_no, "agree")
    receiver.wait_for(2)
    assert receiver.changes() == ["2", "1"]


def test_reordered_callbacks_arrive_backwards(standin: Standin, receiver: Receiver) -> None:
    standin.fault("callback_reorder", size=3)
    sp_no = standin.submit()
    standin.act(sp_no, "comment", speech="?")
    assert receiver.changes() == []
    standin.act(sp_no, "agree")
    receiver.wait_for(3)
    assert receiver.changes() == ["2", "10", "1"]


def test_held_callbacks_are_released_in_one_second(standin: Standin, receiver: Receiver) -> None:
    standin.fault("callback_hold")
    numbers = [row["sp_no"] for row in standin.post("bulk", count=3, events=True)["approvals"]]
    standin.act(numbers[0], "agree")
    assert standin.get("stats")["events"]["held"] == 4
    assert standin.post("events/release", order="reverse", same_second=True) == {"released": 4}
    events = receiver.wait_for(4)
    assert len({event["CreateTime"] for event in events}) == 1
    assert {event["ApprovalInfo"]["SpNoStr"] for event in events} == set(numbers)


def test_a_stored_event_can_be_sent_again(standin: Standin, receiver: Receiver) -> None:
    sp_no = standin.submit()
    receiver.wait_for(1)
    event = standin.get("events", subject=sp_no)["events"][0]
    standin.post("events/resend", id=event["id"])
    first, second = receiver.wait_for(2)
    assert first == second


def test_without_a_callback_url_nothing_is_sent(standin: Standin, receiver: Receiver) -> None:
    standin.post("settings", callback_url="")
    sp_no = standin.submit()
    assert settled(standin)["dropped"] == 1
    standin.post("settings", callback_url=receiver.url)
    standin.act(sp_no, "agree")
    receiver.wait_for(1)
    assert receiver.changes() == ["2"]


def verification(standin: Standin, **body: Any) -> tuple[bool, str]:
    outcome = standin.post("verify-callback", **body)
    return outcome["ok"], outcome["reason"]


def test_the_url_check_wants_exactly_the_decrypted_text(standin: Standin, receiver: Receiver) -> None:
    assert verification(standin) == (True, "")
    receiver.echo_suffix = b"\n"
    assert verification(standin) == (False, "the body is not exactly the decrypted echostr")
    receiver.status = 403
    assert verification(standin) == (False, "answered 403 instead of 200")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "not-a-url"])
def test_the_url_check_reports_a_dead_address(standin: Standin, url: str) -> None:
    ok, reason = verification(standin, url=url)
    assert not ok
    assert reason
