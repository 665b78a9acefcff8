"""Every list costs the same number of queries, however many rows it shows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import ApprovalInstance, ApprovalStep, ApprovalTimeline, Channel, Outcome, Quote, QuoteItem
from approvals.tests.api.conftest import client_of


def make(count: int, owner: User, *, offset: int = 0) -> None:
    """``count`` quotes, each with two items and an approval with two steps; one long timeline at the first."""
    numbers = range(offset, offset + count)
    quotes = Quote.objects.bulk_create(
        Quote(quote_number=f"CIS-20260105-{n:04d}", title="T", customer_name="C", owner=owner) for n in numbers
    )
    QuoteItem.objects.bulk_create(
        QuoteItem(quote=quote, position=place, name="x", quantity=Decimal(1), unit_price=Decimal(1))
        for quote in quotes
        for place in (1, 2)
    )
    instances = ApprovalInstance.objects.bulk_create(
        ApprovalInstance(
            quote=quote,
            revision=1,
            third_no=quote.quote_number,
            flow="internal",
            applicant=owner,
            snapshot={},
            seal="",
            status="pending",
        )
        for quote in quotes
    )
    ApprovalStep.objects.bulk_create(
        ApprovalStep(instance=instance, node=0, position=place, userid=userid)
        for instance in instances
        for place, userid in enumerate(("wang.boss", "zhao.vp"))
    )
    first = ApprovalInstance.objects.earliest("pk")
    ApprovalTimeline.objects.bulk_create(
        ApprovalTimeline(
            instance=first, event_id=f"e{n}", channel=Channel.WECOM, action="update", outcome=Outcome.APPLIED
        )
        for n in numbers
    )


@pytest.mark.parametrize("viewer", ["li", "wang", "ada"])
@pytest.mark.parametrize(
    "path",
    ["/api/quotes", "/api/approvals", "/api/approvals/{first}/timeline", "/api/approvals?search=CIS&status=pending"],
)
def test_ten_rows_cost_what_two_hundred_cost(
    request: pytest.FixtureRequest, django_assert_num_queries: Any, li: User, viewer: str, path: str
) -> None:
    client = client_of(request.getfixturevalue(viewer))
    make(10, li)
    path = path.format(first=ApprovalInstance.objects.earliest("pk").pk)
    path += ("&" if "?" in path else "?") + "page_size=200"
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert len(client.get(path).json()["results"]) == 10
    make(190, li, offset=10)
    with django_assert_num_queries(len(few)):
        assert len(client.get(path).json()["results"]) == 200
    assert len(few) <= 10
