"""Callbacks that never come: the comparison finds out what was decided, on schedule, on request, by command."""

from __future__ import annotations

import time

from django_celery_beat.models import IntervalSchedule, PeriodicTask

from approvals.tests.e2e.admin_site import AdminSite
from approvals.tests.e2e.clients import PROMISED_SECONDS, QuoteOnApi
from approvals.tests.e2e.house import House
from config.testing.processes import wait_until

RECONCILE = "approvals: reconcile"
LIST = "oa/getapprovalinfo"
SHORT = 2
"""Seconds between two comparisons, once an operator has asked for it."""


def decided_unheard(house: House, action: str = "agree") -> QuoteOnApi:
    """A quote that was decided in WeCom, of which no callback came."""
    quote = house.li.submitted()
    house.phone.fault("callback_drop")
    house.phone.act(quote.sp_no, action, speech="未通知")
    assert quote.read()["approval_status"] == "pending"
    return quote


def test_a_person_may_ask_for_the_comparison_of_one(house: House):
    quote, other = decided_unheard(house), decided_unheard(house)
    assert house.lin.post("approvals/sync", ids=[quote.approval()["id"]]).status_code == 202
    quote.await_status("approved")
    assert other.read()["approval_status"] == "pending"


def test_a_person_may_ask_for_the_comparison_of_all(house: House):
    quotes = [decided_unheard(house), decided_unheard(house, "reject")]
    assert house.lin.post("approvals/sync").status_code == 202
    quotes[0].await_status("approved")
    quotes[1].await_status("rejected")


def test_the_command_finds_it_too(house: House):
    quote = decided_unheard(house)
    status, output = house.manage("reconcile_approvals")
    assert status == 0, output
    assert quote.read()["approval_status"] == "approved"


def test_the_schedule_repairs_it_and_obeys_an_edit_in_admin_while_beat_runs(own_house: House):
    house = own_house.open(beat=True)
    with house.database.opened():
        row = PeriodicTask.objects.select_related("interval").get(name=RECONCILE)
        assert (row.interval.every, row.interval.period) == (2, "minutes")
        short, _created = IntervalSchedule.objects.get_or_create(every=SHORT, period=IntervalSchedule.SECONDS)
        default = row.interval_id
    quote = decided_unheard(house)
    assert house.phone.calls(LIST) == 0  # not its turn yet

    page = f"/django_celery_beat/periodictask/{row.pk}/change/"
    admin = AdminSite(house.url, "lin")
    assert admin.form(page)["interval"] == str(default)
    admin.save(page, interval=str(short.pk))
    quote.await_status("approved", timeout=SHORT + PROMISED_SECONDS)
    [entry] = quote.entries("approve", "wecom", "applied")
    assert entry["event_id"].startswith("poll:")

    second = decided_unheard(house)  # open again, so that there is something to list
    second.await_status("approved", timeout=SHORT + PROMISED_SECONDS)

    admin.save(page, interval=str(default))
    still_open = house.li.submitted()
    runs_have_stopped(house)
    assert still_open.read()["approval_status"] == "pending"


def runs_have_stopped(house: House) -> None:
    """Wait until no comparison was asked for during three of the short intervals."""
    seen, since = house.phone.calls(LIST), time.monotonic()

    def quiet() -> bool:
        nonlocal seen, since
        now = house.phone.calls(LIST)
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > 3 * SHORT

    wait_until(quiet, 5 * SHORT, "beat obeys the longer interval", interval=0.1)
