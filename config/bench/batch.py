"""Many approvals compared with WeCom by one action of the admin: the answer to the person, and the work behind it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from html import unescape

import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.batches import tally
from approvals.models import Batch, BatchItem, InstanceStatus, Quote
from config.bench import seed
from config.bench.control import post
from config.bench.events import APPLICANT, APPROVER
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.children import free_port
from config.testing.processes import wait_until

CHANGED_EVERY = 2
"""One of so many was agreed to in WeCom, and nobody told us."""
LONGEST = 600.0
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
_OF_THE_QUESTION = ("csrfmiddlewaretoken", "action", "confirmed", "_selected_action", "approvals")

Fields = list[tuple[str, str]]


def run(stage: Stage, plan: Plan) -> list[Line]:
    few, many = plan.batch
    seed.clear()
    with stage.stack("batch") as stack:
        standin = stack.standin(callback_url=f"http://127.0.0.1:{free_port()}/wecom/callback").url
        post(standin, "settings", calls_per_minute=0)
        opened = _open(standin, many)
        client = Client()
        client.force_login(User.objects.create_superuser("ada"))
        _count(client, opened[:few])  # content types and the like are looked up once per process
        queries = {count: _count(client, opened[:count]) for count in plan.batch}
        web = stack.web()
        stack.worker()
        before = _calls(standin)
        seconds, batch = _act(web.url, client.cookies[settings.SESSION_COOKIE_NAME].value, opened)
        wait_until(lambda: Batch.objects.get(pk=batch.pk).finished_at, LONGEST, "the batch is finished", interval=0.1)
        calls = _calls(standin) - before
    batch.refresh_from_db()
    found = tally(batch)
    say(f"batch: {many} answered in {seconds:.2f} s, finished in {batch.duration.total_seconds():.1f} s: {found}")
    finished = f"{calls} calls in {batch.duration.total_seconds():.1f} s"
    wrong = abs(Quote.objects.filter(approval_status=InstanceStatus.APPROVED).count() - len(opened[::CHANGED_EVERY]))
    name = f"batch of {many}"
    return [
        Line(f"{name}: answer to the person", "", f"{seconds:.2f} s", seconds, "at most", 5, "s"),
        Line(
            f"{name}: queries of the answer",
            f"{queries[few]} for {few}",
            f"{queries[many]} for {many}",
            queries[many] / queries[few],
            "at most",
            1,
        ),
        Line(f"{name}: calls for each", f"{many} approvals", finished, calls / many, "at most", 1.2, ""),
        Line(f"{name}: not repaired", f"{many // CHANGED_EVERY} changed", str(wrong), wrong, "at most", 0, ""),
    ]


def _open(url: str, count: int) -> list[int]:
    """Pending here and at WeCom; every second one is then agreed to there, without an event."""
    third_nos = [f"CIS-BATCH-{number:06d}" for number in range(count)]
    listed = post(url, "bulk", third_nos=third_nos, creator=APPLICANT, approvers=[APPROVER])
    sp_nos = [approval["sp_no"] for approval in listed["approvals"]]
    opened = seed.open_approvals(sp_nos, third_nos=third_nos)
    done = post(url, "bulk/act", keys=sp_nos[::CHANGED_EVERY], action="agree", userid=APPROVER, event=False)
    if done["failed"]:
        raise RuntimeError(f"the stand-in refused to agree: {done['failed']}")
    return [approval.instance_id for approval in opened]


def _page() -> str:
    return f"{reverse('admin:approvals_approvalinstance_changelist')}?all="


def _selected(ids: Sequence[int]) -> Fields:
    return [("action", "sync"), *(("_selected_action", str(pk)) for pk in ids)]


def _fields(question: str) -> Fields:
    """What the page in between would send."""
    found = [(name, unescape(value)) for name, value in _HIDDEN.findall(question) if name in _OF_THE_QUESTION]
    if ("confirmed", "yes") not in found:
        raise RuntimeError("the admin does not ask")
    return found


def _count(client: Client, ids: Sequence[int]) -> int:
    """Queries of the confirmed action; what it queued is thrown away."""
    question = client.post(_page(), _form(_selected(ids))).content.decode()
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(_page(), _form(_fields(question)))
    _check(answer.status_code, len(ids))
    BatchItem.objects.all().delete()
    Batch.objects.all().delete()
    return len(queries)


def _form(fields: Fields) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in fields:
        form.setdefault(name, []).append(value)
    return form


def _act(url: str, session_key: str, ids: Sequence[int]) -> tuple[float, Batch]:
    """Select, read the question and confirm, over HTTP; how long the confirmation took, and the batch."""
    with requests.Session() as browser:
        browser.cookies.set(settings.SESSION_COOKIE_NAME, session_key, domain="127.0.0.1")
        token = _HIDDEN.search(browser.get(url + _page(), timeout=LONGEST).text)
        if token is None:
            raise RuntimeError("the list has no form")
        selected = [(token[1], token[2]), *_selected(ids)]
        question = browser.post(url + _page(), data=selected, timeout=LONGEST).text
        fields = _fields(question)
        started = time.perf_counter()
        answer = browser.post(url + _page(), data=fields, timeout=LONGEST, allow_redirects=False)
        seconds = time.perf_counter() - started
    _check(answer.status_code, len(ids))
    return seconds, Batch.objects.get()


def _check(status: int, count: int) -> None:
    """A bench of something that does not do its work is worth nothing."""
    total = Batch.objects.values_list("total", flat=True).first()
    if status != 302 or total != count:
        raise RuntimeError(f"the action answered {status} and opened a batch of {total} instead of {count}")


def _calls(url: str) -> int:
    calls = requests.get(f"{url}/standin/api/stats", timeout=LONGEST).json()["calls"]
    return sum(answers["total"] for endpoint, answers in calls.items() if "getapproval" in endpoint)
