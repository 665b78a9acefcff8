"""Calls to WeCom of one reconcile run, with many approvals open and few of them changed unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import requests

from approvals.models import InstanceStatus, Quote
from config.bench import seed
from config.bench.control import post
from config.bench.events import APPLICANT, APPROVER
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.children import free_port
from config.testing.processes import Stack

PER_CALL = 100
CHANGED = 0.01
WINDOW_DAYS = 31
SPREAD_DAYS = (1, 45)
"""Over how many days the open approvals were submitted: within one window of a list call, and beyond it."""
READING = ("getapprovalinfo", "getapprovaldetail")
LONGEST = 600.0


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    for count in plan.open_approvals:
        for days in SPREAD_DAYS:
            yield from _measure(stage, count, days)


def _measure(stage: Stage, count: int, days: int) -> Iterator[Line]:
    seed.clear()
    with stage.stack(f"reconcile-{count}-{days}") as stack:
        standin = stack.standin(callback_url=f"http://127.0.0.1:{free_port()}/wecom/callback")
        post(standin.url, "settings", calls_per_minute=0)
        changed = _open_and_change(standin.url, count, days)
        before = _calls(standin.url)
        _reconcile(stack)
        used = _calls(standin.url) - before
    say(f"reconcile: {count} open over {days} days, {changed} changed: {used} calls")
    allowed = ceil(count / PER_CALL) + changed + ceil(days / WINDOW_DAYS) - 1
    name = f"reconcile {count} open, {changed} changed, {days} days"
    yield Line(f"{name}: calls", f"{allowed} calls", f"{used} calls", used / allowed, "at most", 1)
    wrong = abs(Quote.objects.filter(approval_status=InstanceStatus.APPROVED).count() - changed)
    yield Line(f"{name}: not repaired", f"{changed} changed", str(wrong), wrong, "at most", 0, "")


def _open_and_change(url: str, count: int, days: int) -> int:
    """Pending here and at WeCom; a part is then agreed there, evenly spread and without an event. Returns how many."""
    third_nos = [f"CIS-RECON-{number:06d}" for number in range(count)]
    listed = post(url, "bulk", third_nos=third_nos, creator=APPLICANT, approvers=[APPROVER], spread_days=days)
    sp_nos = [approval["sp_no"] for approval in listed["approvals"]]
    seed.open_approvals(sp_nos, third_nos=third_nos, spread_days=days)
    changed = sp_nos[:: round(1 / CHANGED)]
    done = post(url, "bulk/act", keys=changed, action="agree", userid=APPROVER, event=False)
    if done["failed"]:
        raise RuntimeError(f"the stand-in refused to agree: {done['failed']}")
    return len(changed)


def _reconcile(stack: Stack) -> None:
    command = stack.manage("reconcile_approvals")
    if command.popen.wait(LONGEST):
        raise RuntimeError(f"reconcile_approvals failed:\n{command.output}")


def _calls(url: str) -> int:
    calls = requests.get(f"{url}/standin/api/stats", timeout=60).json()["calls"]
    return sum(answers["total"] for endpoint, answers in calls.items() if endpoint.endswith(READING))
