"""Redis stopped or frozen: callbacks and submissions are taken all the same, and everything is done when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from approvals.tests.e2e.house import House
from approvals.tests.e2e.traffic import post_callback
from config.testing.processes import Valkey, wait_until
from wecom.models import CallbackEvent

QUICK = 1.0
"""Seconds within which a callback is answered and a submission accepted."""
PROBE = 2.0
"""Seconds within which /health/ready says that something is missing."""
RECOVERY = 60.0
"""Seconds after the return of Redis within which everything has been done, without anybody's help."""

STOP: dict[str, tuple[Callable[[Valkey], object], Callable[[Valkey], object]]] = {
    "stopped": (Valkey.kill, Valkey.start),
    "frozen": (Valkey.freeze, Valkey.thaw),
}


@pytest.mark.timed
@pytest.mark.parametrize("how", STOP)
def test_redis_away_delays_and_loses_nothing(own_house: House, how: str):
    house = own_house.open(workers=2, beat=True)
    take_away, bring_back = STOP[how]
    decided, commented = house.li.submitted(), house.li.submitted()
    numbers = [quote.sp_no for quote in (decided, commented)]
    wait_until(lambda: house.ready()[0], message="all parts ready")

    take_away(house.valkey)
    wait_until(lambda: not house.ready()[0], 3, "not ready")  # an answer is repeated for a second
    ready, parts, seconds = house.ready()
    assert (ready, parts["redis"]["ok"], parts["database"]["ok"]) == (False, False, True)
    assert seconds < PROBE
    answers = [post_callback(house) for _ in range(5)]
    assert {answer.text for answer in answers} == {"success"}
    assert max(answer.seconds for answer in answers) < QUICK
    house.phone.act(numbers[0], "agree", "wang.boss")
    house.phone.act(numbers[1], "comment", "wang.boss", "断线期间")
    wait_until(lambda: house.phone.events_on_the_way() == 0, 5, "WeCom's callbacks answered")
    with house.database.opened():
        assert CallbackEvent.objects.filter(subject__in=numbers, status="pending").count() == 2
    late = house.li.new_quote()
    started = time.monotonic()
    assert late.submit(approvers=["wang.boss"])["status"] == "submitting"
    assert time.monotonic() - started < 2 * QUICK  # the first request after the fall pays for counting once

    bring_back(house.valkey)
    decided.await_status("approved", timeout=RECOVERY)
    commented.await_entry("comment", "wecom", timeout=RECOVERY)
    late.await_status("pending", timeout=RECOVERY)
    assert len(house.phone.approvals(late.number)) == 1
    wait_until(lambda: house.ready()[0], RECOVERY, "ready again", interval=0.2)
    house.phone.act(late.sp_no, "agree")
    late.await_status("approved")  # as quick as before
