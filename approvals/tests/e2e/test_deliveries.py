"""Callbacks however they come: ten times, in any order, at once, before the answer they belong to. One effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from approvals.tests.e2e.clients import PROMISED_SECONDS
from approvals.tests.e2e.house import House
from config.testing.processes import wait_until
from wecom.models import CallbackEvent


def rows(house: House, **having: object) -> int:
    with house.database.opened():
        return CallbackEvent.objects.filter(**having).count()


def all_delivered_and_handled(house: House, subject: str) -> None:
    """Wait until nothing is on its way to us and nothing waits in the inbox."""
    wait_until(lambda: house.phone.events_on_the_way() == 0, message="all callbacks delivered")
    handled = {"subject": subject, "status": "succeeded"}
    wait_until(
        lambda: rows(house, subject=subject) == rows(house, **handled), message="the inbox emptied", interval=0.1
    )


def test_a_callback_delivered_ten_times_has_one_effect(house: House):
    quote = house.li.submitted()
    sp_no = quote.sp_no
    all_delivered_and_handled(house, sp_no)
    before = rows(house, subject=sp_no)
    house.phone.fault("callback_duplicate", times=10, count=1)
    house.phone.act(sp_no, "agree", "wang.boss")
    quote.await_status("approved")
    all_delivered_and_handled(house, sp_no)
    copies = [event for event in house.phone.events(sp_no) if "<SpStatus>2</SpStatus>" in event["body"]]
    assert [event["http_status"] for event in copies] == [200] * 10
    assert rows(house, subject=sp_no) == before + 1
    assert len(quote.entries("approve", "wecom")) == 1


def test_an_old_event_sent_again_changes_nothing(house: House):
    quote = house.li.submitted()
    sp_no = quote.sp_no
    house.phone.act(sp_no, "agree")
    quote.await_status("approved")
    all_delivered_and_handled(house, sp_no)
    before = quote.timeline()
    for event in house.phone.events(sp_no):
        house.phone.resend(event["id"])
    all_delivered_and_handled(house, sp_no)
    assert (quote.read()["approval_status"], quote.timeline()) == ("approved", before)


def test_events_in_reverse_end_in_the_same_state_and_all_are_told(house: House):
    quote = house.li.submitted(["wang.boss", "zhao.vp"])
    sp_no = quote.sp_no
    all_delivered_and_handled(house, sp_no)
    house.phone.fault("callback_hold")
    house.phone.act(sp_no, "comment", "wang.boss", "看过了")
    house.phone.act(sp_no, "agree", "wang.boss")
    house.phone.act(sp_no, "agree", "zhao.vp")
    house.phone.act(sp_no, "revoke", "li.mei")
    assert house.phone.release("reverse") == 4
    quote.await_status("revoked")
    all_delivered_and_handled(house, sp_no)
    told = [(entry["action"], entry["outcome"]) for entry in quote.timeline() if entry["channel"] == "wecom"][-4:]
    assert told[0] == ("revoke", "applied")
    assert {action for action, _outcome in told[1:]} == {"approve", "comment"}
    assert {outcome for _action, outcome in told[1:]} == {"stale"}
    assert quote.read()["approval_status"] == "revoked"


def test_copies_of_many_events_in_parallel_are_applied_once_each(house: House):
    quotes = [house.li.submitted(["wang.boss", "zhao.vp"]) for _ in range(4)]
    numbers = {quote.sp_no: quote for quote in quotes}
    for sp_no in numbers:
        all_delivered_and_handled(house, sp_no)
    house.phone.fault("callback_hold")
    house.phone.fault("callback_duplicate", times=3)
    for sp_no in numbers:
        house.phone.act(sp_no, "agree", "wang.boss")
        house.phone.act(sp_no, "agree", "zhao.vp")
        house.phone.act(sp_no, "comment", "li.mei", "谢谢")
    assert house.phone.release("shuffle") == 4 * 3 * 3
    for sp_no, quote in numbers.items():
        quote.await_status("approved", timeout=2 * PROMISED_SECONDS)
        all_delivered_and_handled(house, sp_no)
        told = [entry["event_id"] for entry in quote.timeline() if entry["event_id"].startswith("sys_approval_change:")]
        assert len(told) == len(set(told)) == 1 + 3  # its submission, and these three
        moved = [entry for entry in quote.timeline() if entry["from_status"] != entry["to_status"] == "approved"]
        assert len(moved) == 1


def test_many_people_pressing_at_once_reach_every_quote(house: House):
    quotes = [house.li.submitted() for _ in range(6)]
    with ThreadPoolExecutor(6) as hands:
        list(hands.map(lambda quote: house.phone.act(quote.sp_no, "agree", "wang.boss"), quotes))
    for quote in quotes:
        quote.await_status("approved")
        assert len(quote.entries("approve", "wecom", "applied")) == 1


def test_an_event_that_overtakes_the_answer_is_parked_and_then_applied(house: House):
    house.phone.fault("event_before_response", endpoint="oa/applyevent", count=1)
    house.phone.fault("slow", endpoint="oa/applyevent", seconds=1.5, moment="after", count=1)
    quote = house.li.new_quote()
    quote.submit(approvers=["wang.boss"])
    [form] = wait_until(lambda: house.phone.approvals(quote.number), message="WeCom has accepted the form")
    parked = {"subject": form["sp_no"], "parked_at__isnull": False}
    wait_until(lambda: rows(house, **parked) == 1, message="the event parked", interval=0.05)
    assert quote.read()["approval_status"] == "submitting"
    quote.await_status("pending")
    quote.await_entry("submit", "wecom")
    assert rows(house, **parked) == 0
    house.phone.act(quote.sp_no, "agree")
    quote.await_status("approved")
