"""The schedule's row is the truth: beat obeys when it is moved, in admin or by the config API."""

from __future__ import annotations

import re

from config.testing.processes import wait_until
from projects.tests.e2e.house import SYNC, House

SENT = re.compile(r"Sending due task (.+?) \(")
SWEEP = "projects: sweep"


def sent(house: House) -> list[str]:
    """What beat has sent so far, in order."""
    assert house.beat is not None
    return SENT.findall(house.beat.output)


def test_a_moved_schedule_is_obeyed_and_a_stopped_one_too(house: House):
    assert house.staff.read("config/project-sync")["config"]["auto_sync_enabled"] is False
    runs = house.runs(sync_type="auto")
    house.staff.do("config/project-sync", auto_sync_enabled=True)
    house.reschedule(SYNC, 1)
    wait_until(lambda: house.runs(sync_type="auto", status="success") >= runs + 2, message="two runs", interval=0.1)
    assert house.staff.read("config/project-sync")["last_sync_time"]

    house.staff.do("config/project-sync", auto_sync_enabled=False)
    house.reschedule(SWEEP, 1)  # the metronome
    wait_until(lambda: sent(house)[-3:] == [SWEEP] * 3, message="nothing but sweeps", interval=0.1)
    house.reschedule(SWEEP, 30)
    wait_until(lambda: house.runs(status__in=["pending", "running"]) == 0)
    assert {run["status"] for run in house.history()[:2]} == {"success"}
