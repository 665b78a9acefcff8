"""Database queries of every list page of ours, in admin and in the API, with few rows and with many."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.models import (
    ApprovalInstance,
    ApprovalRule,
    ApprovalTemplate,
    ApprovalTimeline,
    Channel,
    OperationKind,
    Outcome,
    SyncOperation,
)
from config.bench import seed
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from notifications.models import Incident
from wecom.models import CallbackEvent, Member, RefusedCallback, WeComConfig

APPS = ("approvals", "notifications", "projects", "wecom")
API = ("/api/quotes", "/api/approvals", "/api/approvals/{approval}/timeline")


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    del stage  # everything happens in this process, on its database
    seed.clear()
    few, many = plan.rows
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    _fill(0, few)
    pages = _pages()
    for page in pages:
        _queries(client, page)  # content types and the like are looked up once per process
    before = {page: _queries(client, page) for page in pages}
    _fill(few, many)
    after = {page: _queries(client, page) for page in pages}
    for page in pages:
        say(f"lists: {page}: {before[page]} queries with {few} rows, {after[page]} with {many}")
    grown = sum(after[page] > before[page] for page in pages)
    yield Line(
        f"list pages whose queries grow from {few} to {many} rows",
        f"{len(pages)} pages",
        f"{min(after.values())} to {max(after.values())} queries",
        grown,
        "at most",
        0,
        "",
    )


def _pages() -> list[str]:
    """Every changelist of ours, and the lists of the API. Fails when a listed model has no rows here."""
    ours = [model for model in admin.site._registry if model._meta.app_label in APPS]
    empty = [model._meta.label for model in ours if not model._default_manager.exists()]
    if empty:
        raise RuntimeError(f"_fill() makes no rows of {', '.join(empty)}")
    changelists = [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in ours]
    approval = ApprovalInstance.objects.earliest("pk").pk
    # the admin keeps lists to what waits for the reader until asked for all; the API shows its largest pages
    return [
        *(f"{changelist}?all=" for changelist in changelists),
        *(f"{path.format(approval=approval)}?page_size=200" for path in API),
    ]


def _queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(page)
    if answer.status_code != 200:
        raise RuntimeError(f"{page} answered {answer.status_code}")
    return len(queries)


def _fill(start: int, end: int) -> None:
    """Rows number ``start`` to ``end`` of everything that is listed somewhere."""
    numbers = range(start, end)
    opened = [approval.instance_id for approval in seed.open_approvals(seed.sp_numbers(len(numbers)))]
    first = ApprovalInstance.objects.earliest("pk").pk
    people = User.objects.bulk_create(User(username=f"user{number}") for number in numbers)
    rows: list[list[models.Model]] = [
        [Member(config=seed.app(), userid=f"member{p.pk}", name=p.username, user=p) for p in people],
        [_entry(pk, f"own:{pk}") for pk in opened],
        [_entry(first, f"long:{number}") for number in numbers],
        [SyncOperation(key=f"tell:{pk}", instance_id=pk, kind=OperationKind.TELL, status="dead") for pk in opened],
        [ApprovalRule(name=f"Rule {number}") for number in numbers],
        [ApprovalTemplate(config=seed.app(), template_id=f"Tpl{number}") for number in numbers],
        [_app(number) for number in numbers],
        [_event(number) for number in numbers],
        [RefusedCallback(method="POST", code=-40001, reason="signature") for _ in numbers],
        [Incident(key=f"incident:{number}", title="Something") for number in numbers],
    ]
    for of_one_model in rows:
        type(of_one_model[0])._default_manager.bulk_create(of_one_model, batch_size=seed.CHUNK)


def _entry(instance_id: int, event_id: str) -> ApprovalTimeline:
    return ApprovalTimeline(
        instance_id=instance_id, event_id=event_id, channel=Channel.WECOM, action="update", outcome=Outcome.APPLIED
    )


def _app(number: int) -> WeComConfig:
    return WeComConfig(slug=f"app{number}", name=f"App {number}", corp_id="ww", agent_id=number, secret="secret")


def _event(number: int) -> CallbackEvent:
    return CallbackEvent(
        key=f"list:{number}", config=seed.app(), event="sys_approval_change", payload="<xml/>", status="dead"
    )
