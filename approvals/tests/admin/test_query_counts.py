"""List pages cost the same number of queries whatever they list; the first page is cheap for every role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals.models import (
    ApprovalInstance,
    ApprovalRule,
    ApprovalStep,
    ApprovalTemplate,
    ApprovalTimeline,
    Batch,
    BatchItem,
    Quote,
    SyncOperation,
)
from approvals.tests.admin.conftest import Browser
from approvals.tests.chains import one_step
from notifications.models import Incident
from wecom.models import CallbackEvent, Member, RefusedCallback, WeComConfig

PAGES = (
    "approvals/quote",
    "approvals/approvalinstance",
    "approvals/approvaltimeline",
    "approvals/batch",
    "approvals/batchitem",
    "approvals/syncoperation",
    "approvals/approvalrule",
    "approvals/approvaltemplate",
    "wecom/wecomconfig",
    "wecom/member",
    "wecom/callbackevent",
    "wecom/refusedcallback",
    "notifications/incident",
)
MOST_QUERIES = 12
"""Of any list page, session, user and filters included."""


def fill(config: WeComConfig, owner: User, rows: range) -> None:
    """One row of everything for each number."""
    people = User.objects.bulk_create(User(username=f"user{n}", is_staff=True) for n in rows)
    made = Quote.objects.bulk_create(
        Quote(quote_number=f"Q{n}", title="t", customer_name=f"c{n}", owner=person, approval_status="pending")
        for n, person in zip(rows, people, strict=True)
    )
    instances = ApprovalInstance.objects.bulk_create(
        ApprovalInstance(
            quote=quote,
            revision=1,
            third_no=quote.quote_number,
            flow="internal",
            config=config,
            applicant=quote.owner,
            snapshot={},
            status="pending",
            submitted_at=timezone.now() - timedelta(days=1),
        )
        for quote in made
    )
    ApprovalStep.objects.bulk_create(
        ApprovalStep(instance=instance, node=0, position=0, userid="wang.boss") for instance in instances
    )
    ApprovalTimeline.objects.bulk_create(
        ApprovalTimeline(instance=i, event_id=f"e{i.third_no}", channel="system", action="submit", outcome="applied")
        for i in instances
    )
    SyncOperation.objects.bulk_create(
        SyncOperation(key=f"tell:{i.third_no}", instance=i, kind="tell", status="dead") for i in instances
    )
    batches = Batch.objects.bulk_create(
        Batch(verb="approve", actor=person, channel="internal", total=1) for person in people
    )
    BatchItem.objects.bulk_create(
        BatchItem(key=f"batch:{b.pk}:{i.pk}", batch=b, instance=i) for b, i in zip(batches, instances, strict=True)
    )
    ApprovalRule.objects.bulk_create(ApprovalRule(name=f"r{n}", chain=one_step("wang.boss")) for n in rows)
    ApprovalTemplate.objects.bulk_create(ApprovalTemplate(config=config, template_id=f"T{n}") for n in rows)
    WeComConfig.objects.bulk_create(
        WeComConfig(slug=f"s{n}", name=f"n{n}", corp_id="c", agent_id=n, secret="x") for n in rows
    )
    Member.objects.bulk_create(
        Member(config=config, userid=f"m{n}", name=f"m{n}", user=person) for n, person in zip(rows, people, strict=True)
    )
    CallbackEvent.objects.bulk_create(
        CallbackEvent(key=f"k{n}", config=config, event="sys_approval_change", payload="<xml/>", status="dead")
        for n in rows
    )
    RefusedCallback.objects.bulk_create(RefusedCallback(method="POST", code=-40001, reason="r") for n in rows)
    Incident.objects.bulk_create(Incident(key=f"i{n}", title="t") for n in rows)


SEALED_CONTENT = '"snapshot"'
"""Kilobytes per row that no list shows."""


def queries(client: Browser, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        client.page(url)
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("page", PAGES)
def test_a_list_of_200_costs_what_a_list_of_10_costs(
    wecom_app: WeComConfig, ada: User, log_in: Callable[..., Browser], page: str
) -> None:
    client, url = log_in(ada), f"/admin/{page}/?all="
    client.page(url)  # content types and the like are looked up once per process
    fill(wecom_app, ada, range(10))
    few = queries(client, url)
    fill(wecom_app, ada, range(10, 200))
    many = queries(client, url)
    assert len(many) == len(few), (few, many)
    assert len(many) <= MOST_QUERIES, many
    assert not [sql for sql in many if SEALED_CONTENT in sql]


@pytest.mark.parametrize("name", ["ada", "li", "wang", "chen"])
def test_the_first_page_is_cheap_and_fixed(
    request: pytest.FixtureRequest, wecom_app: WeComConfig, log_in: Callable[..., Browser], name: str
) -> None:
    user = request.getfixturevalue(name)
    client = log_in(user)
    client.page("/admin/")  # rows of settings are made when they are first asked for
    fill(wecom_app, user, range(20))
    few = queries(client, "/admin/")
    fill(wecom_app, user, range(20, 200))
    many = queries(client, "/admin/")
    assert len(many) == len(few), (few, many)
    assert len(many) <= 16, many
    assert not [sql for sql in many if SEALED_CONTENT in sql]


def test_a_page_does_not_read_the_sealed_content_once_per_timeline_entry(
    wecom_app: WeComConfig, ada: User, log_in: Callable[..., Browser]
) -> None:
    fill(wecom_app, ada, range(1))
    instance = ApprovalInstance.objects.get()
    for page in (f"approvals/quote/{instance.quote_id}", f"approvals/approvalinstance/{instance.pk}"):
        captured = queries(log_in(ada), f"/admin/{page}/change/")
        timeline = [sql for sql in captured if "approvals_approvaltimeline" in sql]
        assert timeline
        assert not [sql for sql in timeline if SEALED_CONTENT in sql]


def test_a_sales_list_with_its_visibility_rule_is_fixed_too(
    wecom_app: WeComConfig, li: User, log_in: Callable[..., Browser]
) -> None:
    client = log_in(li)

    def own(rows: range) -> None:
        Quote.objects.bulk_create(Quote(quote_number=f"Q{n}", title="t", customer_name="c", owner=li) for n in rows)

    own(range(10))
    few = queries(client, "/admin/approvals/quote/?all=")
    own(range(10, 200))
    assert len(queries(client, "/admin/approvals/quote/?all=")) == len(few)
