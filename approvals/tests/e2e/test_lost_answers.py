"""WeCom's answers get lost, are refusals, or never come: each quote reaches WeCom exactly once, or says why not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from approvals.models import SyncOperation
from approvals.tests.e2e.clients import QuoteOnApi
from approvals.tests.e2e.house import House
from approvals.tests.traffic.conftest import sent_long_ago
from config.testing.processes import wait_until
from notifications import dead_rows
from notifications.dead_rows import Cause
from notifications.models import Incident

APPLY = "oa/applyevent"
FIRST_RETRY = 10.0
"""Seconds within which the first repetition comes (config.durable promises it)."""
ANSWER_TIMEOUT = 8.0
"""Seconds that we wait for an answer (wecom.transport)."""
LOOKED_UP = "oa/getapprovalinfo"


def submit_under(house: House, kind: str, **parameters: Any) -> QuoteOnApi:
    house.phone.fault(kind, endpoint=APPLY, count=1, **parameters)
    quote = house.li.new_quote()
    quote.submit(approvers=["wang.boss"])
    return quote


def reaches_wecom_once(house: House, quote: QuoteOnApi, *, calls: int, timeout: float) -> None:
    """``calls``: the calls of applyevent that this quote may cost."""
    before = house.phone.calls(APPLY, 0)
    quote.await_status("pending", timeout=timeout)
    [form] = house.phone.approvals(quote.number)
    assert form["sp_no"] == quote.sp_no
    assert house.phone.calls(APPLY, 0) - before <= calls
    house.phone.act(quote.sp_no, "agree")
    quote.await_status("approved")


def test_an_answer_lost_after_acceptance_is_adopted(house: House):
    quote = submit_under(house, "close_after")
    wait_until(lambda: house.phone.approvals(quote.number), message="WeCom has it")
    reaches_wecom_once(house, quote, calls=0, timeout=FIRST_RETRY)


@pytest.mark.parametrize("fault", [{"kind": "close_before"}, {"kind": "http_status", "status": 502}])
def test_a_submission_that_never_arrived_is_repeated_when_it_cannot_arrive_any_more(
    house: House, fault: dict[str, Any]
):
    """The minute of doubt is cut short in the row."""
    quote = submit_under(house, **fault)
    approval = quote.approval()["id"]
    wait_until(lambda: waiting(house, approval, attempts=2), FIRST_RETRY, "looked up, and waiting", interval=0.1)
    assert house.phone.approvals(quote.number) == []
    with house.database.opened():
        sent_long_ago(SyncOperation.objects.filter(instance=approval))
    house.li.submitted()  # wakes a worker: the row of this test's process cannot
    reaches_wecom_once(house, quote, calls=1, timeout=FIRST_RETRY)


def test_an_answer_that_comes_too_late_is_adopted(house: House):
    quote = submit_under(house, "slow", seconds=ANSWER_TIMEOUT + 2, moment="after")
    reaches_wecom_once(house, quote, calls=1, timeout=ANSWER_TIMEOUT + FIRST_RETRY)


def test_a_form_that_arrives_after_we_have_given_up_waiting_is_adopted(house: House):
    """The first look-up finds nothing, because WeCom is still working on it."""
    looked_up = house.phone.calls(LOOKED_UP)
    quote = submit_under(house, "slow", seconds=ANSWER_TIMEOUT + FIRST_RETRY, moment="before")
    approval = quote.approval()["id"]
    wait_until(lambda: waiting(house, approval, attempts=2), ANSWER_TIMEOUT + FIRST_RETRY, "looked up", interval=0.1)
    assert house.phone.approvals(quote.number) == []
    assert house.phone.calls(LOOKED_UP) > looked_up
    wait_until(lambda: house.phone.approvals(quote.number), 2 * FIRST_RETRY, "WeCom has it")
    with house.database.opened():
        sent_long_ago(SyncOperation.objects.filter(instance=approval))
    house.li.submitted()
    reaches_wecom_once(house, quote, calls=0, timeout=FIRST_RETRY)


def test_busy_is_repeated(house: House):
    reaches_wecom_once(house, submit_under(house, "errcode", errcode=-1), calls=1, timeout=FIRST_RETRY)


@pytest.mark.parametrize("state", ["invalid", "expired"])
def test_ended_tokens_cost_all_processes_together_one_gettoken(house: House, state: str):
    house.li.submitted()  # a token is in use
    house.phone.end_tokens(state)
    asked = house.phone.calls("gettoken")
    quotes = [house.li.new_quote() for _ in range(6)]
    with ThreadPoolExecutor(6) as hands:
        list(hands.map(lambda quote: quote.submit(approvers=["wang.boss"]), quotes))
    for quote in quotes:
        quote.await_status("pending", timeout=FIRST_RETRY)
        assert len(house.phone.approvals(quote.number)) == 1
    assert house.phone.calls("gettoken") - asked == 1


def test_a_redis_that_lost_everything_costs_one_gettoken(house: House):
    asked = house.phone.calls("gettoken")
    quotes = [house.li.new_quote() for _ in range(6)]
    with Redis.from_url(house.valkey.url) as client:
        for key in client.scan_iter("wecom:*:token:*"):
            client.delete(key)
    with ThreadPoolExecutor(6) as hands:
        list(hands.map(lambda quote: quote.submit(approvers=["wang.boss"]), quotes))
    for quote in quotes:
        quote.await_status("pending", timeout=FIRST_RETRY)
    assert house.phone.calls("gettoken") - asked == 1


def test_a_refusal_for_good_says_what_to_do_and_may_be_submitted_again(house: House):
    quote = submit_under(house, "errcode", errcode=301055)
    quote.await_status("failed")
    approval = quote.approval()
    assert approval["error"]["errcode"] == 301055
    assert approval["error"]["message"]
    assert approval["error"]["remedy"]
    key = f"submit:{approval['id']}"
    with house.database.opened():
        row = SyncOperation.objects.get(key=key)
        assert (row.status, row.error_code) == ("dead", 301055)
        incident = Incident.objects.get(key=Cause.of(SyncOperation, row.last_error).key, resolved_at=None)
        assert list(dead_rows.rows_of(incident) or []) == [row]
    assert house.phone.approvals(quote.number) == []

    again = quote.submit(approvers=["wang.boss"])
    assert again["third_no"] == f"{quote.number}-2"
    quote.await_status("pending")
    [form] = house.phone.approvals(f"{quote.number}-2")
    house.phone.act(form["sp_no"], "agree")
    quote.await_status("approved")


def test_a_limit_of_calls_cools_the_endpoint_down_and_loses_nothing(house: House):
    """The minute of the pause is cut short in Redis, and the rows' wait by the *retry* of the admin."""
    quotes = [submit_under(house, "errcode", errcode=45009), house.li.new_quote()]
    first = quotes[0].approval()["id"]
    wait_until(lambda: waiting(house, first), message="the refused submission waits", interval=0.1)
    calls = house.phone.calls(APPLY)
    quotes[1].submit(approvers=["wang.boss"])
    second = quotes[1].approval()["id"]
    wait_until(lambda: waiting(house, second), message="the next one does not even ask", interval=0.1)
    assert house.phone.calls(APPLY) == calls
    assert [quote.read()["approval_status"] for quote in quotes] == ["submitting"] * 2

    with Redis.from_url(house.valkey.url) as client:
        [pause] = client.scan_iter(f"wecom:*:paused:{APPLY}")
        assert 0 < client.pttl(pause) <= 60_000
        client.delete(pause)
    with house.database.opened():
        SyncOperation.objects.filter(instance__in=[first, second]).retry()
    house.li.submitted()  # wakes a worker: the row of this test's process cannot
    for quote in quotes:
        quote.await_status("pending")
        assert len(house.phone.approvals(quote.number)) == 1


def waiting(house: House, approval: int, *, attempts: int = 1) -> bool:
    """Whether the submission was attempted so often and is to be attempted again."""
    with house.database.opened():
        return SyncOperation.objects.filter(key=f"submit:{approval}", status="failed", attempts=attempts).exists()
