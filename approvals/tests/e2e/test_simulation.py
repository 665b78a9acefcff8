"""Deciding on the stand-in's phone from here, by REST and by command."""

from __future__ import annotations

import pytest

from approvals.tests.e2e.house import House

SIMULATE = "v1/wecom-callback/simulate-approval"


@pytest.mark.parametrize("action", ["approved", "rejected", "cancelled"])
def test_the_address_brings_the_approval_to_any_end(house: House, action: str):
    quote = house.li.submitted(["wang.boss", "zhao.vp"])
    answer = house.li.post(SIMULATE, quote_number=quote.number, action=action)
    assert (answer.status_code, answer.json()["third_no"]) == (202, quote.number)
    quote.await_status(action)
    assert quote.approval()["remote_status"] == action


def test_the_command_does_the_same(house: House):
    quote = house.li.submitted()
    status, output = house.manage("simulate_approval", quote.number, "approved")
    assert status == 0, output
    quote.await_status("approved")
    status, output = house.manage("simulate_approval", quote.number, "approved")
    assert status == 1
    assert "No approval of this quote is open in WeCom." in output
    assert "Traceback" not in output
