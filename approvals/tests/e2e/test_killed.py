"""Processes killed without a warning (SIGKILL), at the worst moments: nothing is lost and nothing happens twice."""

from __future__ import annotations

from approvals.tests.e2e.house import House
from approvals.tests.e2e.traffic import Stream, post_callback
from config.testing.processes import wait_until
from wecom.models import CallbackEvent

APPLY = "oa/applyevent"
TAKEN_OVER = 60.0
"""Seconds within which the work of a dead worker is taken up."""
COMMENTS = 40
"""Per quote; with four quotes it is more than one batch."""


def events(house: House, subjects: list[str], **having: object) -> int:
    with house.database.opened():
        return CallbackEvent.objects.filter(subject__in=subjects, **having).count()


def test_a_worker_killed_while_it_submits_and_one_killed_within_a_batch(own_house: House):
    """Both at once, because both wait for the end of the dead workers' leases."""
    house = own_house.open(workers=1)
    talked_about = [house.li.submitted() for _ in range(4)]
    numbers = [quote.sp_no for quote in talked_about]

    # The first worker dies after WeCom has accepted a form and before the answer.
    house.phone.fault("slow", endpoint=APPLY, seconds=6, moment="after", count=1)
    submitting = house.li.new_quote()
    submitting.submit(approvers=["wang.boss"])
    wait_until(lambda: house.phone.approvals(submitting.number), message="WeCom has accepted the form")
    calls = house.phone.calls(APPLY)
    house.workers[0].kill()
    assert submitting.read()["approval_status"] == "submitting"

    # The second one dies while it handles a batch of events.
    house.phone.act_on_many(numbers * COMMENTS, "comment")
    wait_until(lambda: house.phone.events_on_the_way() == 0, 30, "all callbacks answered")
    done = events(house, numbers, status="succeeded")
    killed = house.start_worker()
    wait_until(lambda: events(house, numbers, status="succeeded") > done, message="the batch begun", interval=0.001)
    killed.kill()
    left = events(house, numbers, status__in=["pending", "running"])
    assert left > 0

    house.start_worker(wait=False)
    house.start_beat(wait=False)
    submitting.await_status("pending", timeout=TAKEN_OVER)
    wait_until(
        lambda: events(house, numbers, status="succeeded") == done + 4 * COMMENTS,
        TAKEN_OVER,
        "all events",
        interval=0.2,
    )
    assert house.phone.calls(APPLY) == calls
    [form] = house.phone.approvals(submitting.number)
    assert submitting.sp_no == form["sp_no"]
    for quote in talked_about:
        assert len(quote.entries("comment", "wecom")) == COMMENTS
    house.phone.act(submitting.sp_no, "agree")
    submitting.await_status("approved")
    assert len(submitting.entries("approve", "wecom")) == 1


def test_every_callback_that_was_answered_success_survives_the_death_of_the_web_process(own_house: House):
    house = own_house.open(web=2, workers=0)
    post_callback(house)
    stream = Stream(house)
    promised: set[str] = set()
    try:
        for _ in range(2):
            stream.await_more(60)
            assert house.web is not None
            house.web.process.kill()
            house.start_web(2)
    finally:
        promised = stream.stop()
    assert stream.unanswered > 0  # the kills met requests under way
    with house.database.opened():
        stored = set(CallbackEvent.objects.filter(subject__in=promised).values_list("subject", flat=True))
        assert CallbackEvent.objects.count() == CallbackEvent.objects.values("key").distinct().count()
    assert promised - stored == set()
