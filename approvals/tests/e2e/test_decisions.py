"""The main job: a quote is submitted here, people decide in WeCom, and the quote shows it within seconds."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from approvals.models import ApprovalRule
from approvals.tests.chains import one_step
from approvals.tests.e2e.clients import PROMISED_SECONDS, QuoteOnApi
from approvals.tests.e2e.house import House
from config.testing.processes import wait_until


def test_what_is_agreed_on_the_phone_is_approved_here_within_five_seconds(house: House):
    quote = house.li.new_quote()
    accepted = quote.submit(approvers=["wang.boss"], comment="请尽快审批")
    assert (accepted["status"], accepted["flow"], accepted["applicant"]) == ("submitting", "wecom_oa", "li")
    quote.await_status("pending")

    started = time.monotonic()
    house.phone.act(quote.sp_no, "agree", "wang.boss", "价格合适")
    shown = quote.await_status("approved")
    assert time.monotonic() - started < PROMISED_SECONDS
    assert (shown["status"], shown["total"]) == ("approved", "3626.48")

    approval = quote.approval()
    assert (approval["status"], approval["remote_status"], approval["remote_pending"]) == (
        "approved",
        "approved",
        False,
    )
    assert approval["third_no"] == quote.number
    [step] = approval["steps"]
    assert (step["userid"], step["status"], step["comment"]) == ("wang.boss", "approved", "价格合适")
    told = [(entry["action"], entry["channel"], entry["to_status"]) for entry in quote.timeline()]
    assert told[0] == ("submit", "api", "submitting")
    assert ("submit", "system", "pending") in told
    assert told[-1] == ("approve", "wecom", "approved")


@pytest.mark.parametrize(
    ("action", "userid", "status", "entry"),
    [("reject", "wang.boss", "rejected", "reject"), ("withdraw", "li.mei", "cancelled", "withdraw")],
)
def test_other_ends_on_the_phone_arrive_as_well(house: House, action: str, userid: str, status: str, entry: str):
    quote = house.li.submitted()
    house.phone.act(quote.sp_no, action, userid, "请重新报价")
    quote.await_status(status)
    [told] = quote.entries(entry, "wecom", "applied")
    assert told["to_status"] == status


def test_an_approved_form_that_is_revoked_in_wecom_is_revoked_here(house: House):
    quote = house.li.submitted()
    house.phone.act(quote.sp_no, "agree")
    quote.await_status("approved")
    house.phone.act(quote.sp_no, "revoke")
    quote.await_status("revoked")
    assert [entry["to_status"] for entry in quote.entries("revoke", "wecom")] == ["revoked"]


def test_a_comment_on_the_phone_is_told_and_decides_nothing(house: House):
    quote = house.li.submitted()
    house.phone.act(quote.sp_no, "comment", "wang.boss", "先问一下交期")
    [entry] = quote.await_entry("comment", "wecom")
    assert entry["comment"] == "先问一下交期"
    assert quote.read()["approval_status"] == "pending"


def test_all_named_approvers_have_to_agree(house: House):
    quote = house.li.submitted(["wang.boss", "zhao.vp"])
    house.phone.act(quote.sp_no, "agree", "zhao.vp")
    quote.await_entry("approve", "wecom")
    assert quote.read()["approval_status"] == "pending"
    house.phone.act(quote.sp_no, "agree", "wang.boss")
    quote.await_status("approved")


def test_a_rule_with_any_approver_needs_one_of_them(house: House):
    with house.database.opened():
        ApprovalRule.objects.create(
            name="美元",
            currency="USD",
            min_amount=Decimal(0),
            chain=one_step("wang.boss", "zhao.vp", relation="any"),
        )
    quote = house.li.new_quote(currency="USD")
    quote.submit()
    quote.await_status("pending")
    house.phone.act(quote.sp_no, "agree", "zhao.vp")
    quote.await_status("approved")
    assert {step["userid"]: step["status"] for step in quote.approval()["steps"]} == {
        "wang.boss": "pending", "zhao.vp": "approved",
    }  # fmt: skip


def test_the_templates_own_flow_decides_when_nobody_is_named(house: House):
    quote = house.li.new_quote()
    quote.submit()
    quote.await_status("pending")
    waiting = wait_until(
        lambda: {step["userid"] for step in quote.approval()["steps"]}, message="steps of the template"
    )
    assert {"sun.director", "wang.boss", "zhao.vp"} <= waiting
    for userid in ("sun.director", "wang.boss"):
        house.phone.act(quote.sp_no, "agree", userid)
    quote.await_status("approved")


def test_a_decision_taken_here_is_told_in_wecom_and_waits_for_wecom(house: House):
    quote = house.li.submitted()
    sp_no = quote.sp_no
    decided = house.wang.do(f"approvals/{quote.approval()['id']}/approve", comment="同意")
    assert (decided["status"], decided["remote_pending"]) == ("approved", True)
    assert quote.read()["approval_status"] == "approved"
    for userid in ("wang.boss", "li.mei"):
        assert sp_no in message_about(house, quote, userid)  # what is left to do there
    calls = house.phone.calls("oa/applyevent")
    house.phone.act(sp_no, "agree", "wang.boss")
    wait_until(lambda: not quote.approval()["remote_pending"], PROMISED_SECONDS, "WeCom agrees")
    assert (quote.approval()["conflict"], house.phone.calls("oa/applyevent")) == (False, calls)


def message_about(house: House, quote: QuoteOnApi, userid: str) -> str:
    """Wait for the one message about ``quote`` on somebody's phone."""

    def arrived() -> list[str]:
        return [text for text in house.phone.messages(userid) if quote.number in text]

    [text] = wait_until(arrived, PROMISED_SECONDS, f"a message to {userid}", interval=0.1)
    return text


def test_the_opposite_decision_in_wecom_is_a_conflict_that_is_listed(house: House):
    quote = house.li.submitted()
    approval = quote.approval()
    house.wang.do(f"approvals/{approval['id']}/approve")
    house.phone.act(approval["sp_no"], "reject", "wang.boss", "预算不足")
    quote.await_entry("reject", "wecom", "conflict")
    listed = house.li.read("approvals", conflict="true")["results"]
    [found] = [row for row in listed if row["id"] == approval["id"]]
    assert (found["status"], found["remote_status"], found["conflict"]) == ("approved", "rejected", True)  # first wins
