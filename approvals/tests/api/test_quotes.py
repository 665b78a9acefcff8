"""/api/quotes: shapes, refusals, filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.models import ApprovalInstance, ApprovalTimeline, Channel, Quote, QuoteItem
from approvals.tests.api.conftest import NEW_QUOTE, client_of
from approvals.tests.conftest import CONTENT

Submitted = Callable[..., ApprovalInstance]


@pytest.fixture
def client(li: User) -> APIClient:
    return client_of(li)


def test_a_created_quote_answers_with_number_state_and_decimal_strings(client: APIClient, li: User) -> None:
    with time_machine.travel(datetime(2026, 1, 5, 17, 0, tzinfo=UTC), tick=False):  # already the 6th in Shanghai
        answer = client.post("/api/quotes", NEW_QUOTE)
    assert answer.status_code == 201
    body = answer.json()
    assert body["quote_number"] == "CIS-20260106-0001"
    assert (body["revision"], body["status"], body["approval_status"]) == (1, "draft", "not_submitted")
    assert (body["total"], body["currency"], body["owner"]) == ("3626.48", "CNY", "li")
    assert body["items"] == [
        {
            "name": "Pump X1",
            "specification": "DN50",
            "quantity": "3.000",
            "unit_price": "1200.50",
            "amount": "3601.50",
        },
        {"name": "Seal", "specification": "", "quantity": "2.500", "unit_price": "9.99", "amount": "24.98"},
    ]
    assert body["latest_approval"] is None
    assert body["created_at"] == "2026-01-06T01:00:00+08:00"
    assert client.get(f"/api/quotes/{body['id']}").json() == body
    assert client.get("/api/quotes").json()["results"] == [body]


def test_a_total_from_the_request_is_ignored(client: APIClient) -> None:
    body = client.post("/api/quotes", {**NEW_QUOTE, "total": "1.00", "status": "approved", "owner": "wang"}).json()
    assert (body["total"], body["status"], body["owner"]) == ("3626.48", "draft", "li")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"title": ""}, {"title"}),
        ({"title": None}, {"title"}),
        ({"title": "x" * 201}, {"title"}),
        ({"title": {"deep": []}}, {"title"}),
        ({"title": "nul\x00"}, {"title"}),
        ({"currency": "Yuan"}, {"currency"}),
        ({"currency": "cny"}, {"currency"}),
        ({"valid_until": "tomorrow"}, {"valid_until"}),
        ({"valid_until": 5}, {"valid_until"}),
        ({"remark": "x" * 2001}, {"remark"}),
        ({"items": None}, {"items"}),
        ({"items": "many"}, {"items"}),
        ({"items": {"name": "x"}}, {"items"}),
        ({"items": [{"name": "x", "quantity": "1", "unit_price": "1"}] * 501}, {"items"}),
        ({"items": [{"name": "x", "quantity": "999999999", "unit_price": "999999999999"}]}, {"items"}),
    ],
)
def test_bad_input_is_a_400_that_names_the_field(client: APIClient, change: dict[str, Any], named: set[str]) -> None:
    answer = client.post("/api/quotes", {**NEW_QUOTE, **change})
    assert answer.status_code == 400, answer.content
    assert set(answer.json()) == named
    assert not Quote.objects.exists()
    assert not QuoteItem.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", "-0.001"),
        ("unit_price", "-0.01"),
        ("quantity", "1.0001"),
        ("unit_price", "1.005"),
        ("quantity", "1" * 400),
        ("unit_price", "1e500"),
        ("quantity", 10**300),
        ("unit_price", "NaN"),
        ("quantity", "Infinity"),
        ("quantity", None),
        ("unit_price", [1]),
        ("name", ""),
        ("specification", "x" * 401),
    ],
)
def test_errors_in_items_name_the_item_and_its_field(client: APIClient, field: str, value: Any) -> None:
    good = NEW_QUOTE["items"][0]
    answer = client.post("/api/quotes", {**NEW_QUOTE, "items": [good, {**good, field: value}]})
    assert answer.status_code == 400
    assert set(answer.json()) == {"items"}
    assert {place: set(errors) for place, errors in answer.json()["items"].items()} == {"1": {field}}


@pytest.mark.parametrize("left_out", ["title", "customer_name", "items"])
def test_required_fields(client: APIClient, left_out: str) -> None:
    answer = client.post("/api/quotes", {name: value for name, value in NEW_QUOTE.items() if name != left_out})
    assert answer.status_code == 400
    assert set(answer.json()) == {left_out}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"3",
        b'"text"',
        b"NaN",
        b"\xff\xfe",
        b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"title": ' + b"1" * 5000 + b"}",
        b'{"items": [[[]]], "title": 1e999}',
        b'{"title": "\\ud800"}',
        b'{"currency": "\\udfff", "title": "x"}',
        b'{"items": [null, 1, "x", []], "title": "x", "customer_name": "y"}',
    ],
)
def test_no_body_can_make_it_fail(client: APIClient, body: bytes) -> None:
    answer = client.post("/api/quotes", body, content_type="application/json")
    assert answer.status_code == 400, answer.content


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert client.post("/api/quotes", {**NEW_QUOTE, "remark": "x" * 1000}).status_code == 400
    assert client.post("/api/quotes", NEW_QUOTE).status_code == 201


def test_other_content_types_are_refused(client: APIClient) -> None:
    answer = client.post("/api/quotes", b"<quote/>", content_type="application/xml")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


# --- change and delete --------------------------------------------------------------------------------------------


def test_put_replaces_everything(client: APIClient, quote: Quote) -> None:
    client.patch(f"/api/quotes/{quote.pk}", {"remark": "soon", "valid_until": "2026-05-01"})
    item = {"name": "Valve", "quantity": "1", "unit_price": "5"}
    answer = client.put(f"/api/quotes/{quote.pk}", {"title": "T", "customer_name": "C", "items": [item]})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["title"], body["remark"], body["valid_until"], body["total"]) == ("T", "", None, "5.00")
    assert [row["name"] for row in body["items"]] == ["Valve"]


def test_patch_changes_only_what_is_given(client: APIClient, quote: Quote) -> None:
    body = client.patch(f"/api/quotes/{quote.pk}", {"remark": "soon"}).json()
    assert (body["remark"], body["title"], len(body["items"]), body["total"]) == (
        "soon",
        CONTENT["title"],
        2,
        "3626.48",
    )


def test_patched_items_must_be_whole(client: APIClient, quote: Quote) -> None:
    answer = client.patch(f"/api/quotes/{quote.pk}", {"items": [{"name": "Valve"}]})
    assert answer.status_code == 400
    assert set(answer.json()["items"]["0"]) == {"quantity", "unit_price"}
    assert quote.items.count() == 2


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_submitted_quote_can_not_be_changed(
    client: APIClient, quote: Quote, submitted: Submitted, method: str
) -> None:
    submitted()
    answer = getattr(client, method)(f"/api/quotes/{quote.pk}", NEW_QUOTE)
    assert answer.status_code == 409
    body = answer.json()
    assert body.pop("detail")
    assert body == {"code": "sealed", "id": quote.pk, "status": "in_approval", "approval_status": "submitting"}
    quote.refresh_from_db()
    assert quote.title == CONTENT["title"]


def test_a_draft_is_deleted(client: APIClient, quote: Quote) -> None:
    assert client.delete(f"/api/quotes/{quote.pk}").status_code == 204
    assert not Quote.objects.exists()


# --- rights -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_quote_that_may_not_be_seen_is_unknown(quote: Quote, wang: User, method: str) -> None:
    answer = getattr(client_of(wang), method)(f"/api/quotes/{quote.pk}", NEW_QUOTE)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("put", ""), ("patch", ""), ("delete", ""), ("post", "/submit"), ("post", "/revise")],
)
def test_seeing_a_quote_is_not_owning_it(quote: Quote, chen: User, method: str, path: str) -> None:
    body = {} if path else NEW_QUOTE
    answer = getattr(client_of(chen), method)(f"/api/quotes/{quote.pk}{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert Quote.objects.get().title == CONTENT["title"]
    assert not ApprovalInstance.objects.exists()


def test_creating_takes_the_permission(wang: User) -> None:
    answer = client_of(wang).post("/api/quotes", NEW_QUOTE)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert not Quote.objects.exists()


@pytest.mark.parametrize("number", ["0", "99999999", "9" * 30, "9" * 5000, "-1", "abc", "1/"])
def test_impossible_numbers_are_unknown(client: APIClient, number: str) -> None:
    assert client.get(f"/api/quotes/{number}").status_code == 404


# --- submit and revise --------------------------------------------------------------------------------------------


def test_submitting_answers_202_with_the_approval(client: APIClient, quote: Quote, wang: User) -> None:
    answer = client.post(f"/api/quotes/{quote.pk}/submit", {"approvers": ["wang.boss"], "comment": "please"})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["quote_number"], body["status"], body["flow"]) == (quote.quote_number, "submitting", "wecom_oa")
    assert body["steps"] == [{"userid": "wang.boss", "name": "Wang", "status": "pending", "comment": "", "time": None}]
    entry = ApprovalTimeline.objects.get()
    assert (entry.channel, entry.action, entry.comment) == ("api", "submit", "please")
    assert client.get(f"/api/quotes/{quote.pk}").json()["latest_approval"] == body["id"]


def test_submitting_needs_no_body(client: APIClient, quote: Quote) -> None:
    assert client.post(f"/api/quotes/{quote.pk}/submit").status_code == 202


def test_submitting_twice_is_a_409_with_the_state(client: APIClient, quote: Quote) -> None:
    client.post(f"/api/quotes/{quote.pk}/submit")
    answer = client.post(f"/api/quotes/{quote.pk}/submit")
    assert answer.status_code == 409
    assert answer.json()["code"] == "wrong_state"
    assert answer.json()["approval_status"] == "submitting"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"flow": "pigeon"}, "flow"),
        ({"flow": None}, "flow"),
        ({"flow": "internal"}, "approvers"),
        ({"approvers": "wang.boss"}, "approvers"),
        ({"approvers": [None]}, "approvers"),
        ({"approvers": ["<script>"]}, "approvers"),
        ({"approvers": ["a"] * 31}, "approvers"),
        ({"comment": "x" * 501}, "comment"),
        ({"comment": ["x"]}, "comment"),
    ],
)
def test_a_bad_submission_writes_nothing(client: APIClient, quote: Quote, body: dict[str, Any], named: str) -> None:
    answer = client.post(f"/api/quotes/{quote.pk}/submit", body)
    assert answer.status_code == 400
    assert set(answer.json()) == {named}
    assert not ApprovalInstance.objects.exists()


def test_revising_opens_the_next_revision(client: APIClient, quote: Quote, submitted: Submitted, li: User) -> None:
    answer = client.post(f"/api/quotes/{quote.pk}/revise")
    assert (answer.status_code, answer.json()["approval_status"]) == (409, "not_submitted")
    engine.withdraw(instance=submitted(), actor=actor_for(li, Channel.INTERNAL))
    answer = client.post(f"/api/quotes/{quote.pk}/revise")
    assert answer.status_code == 200
    assert (answer.json()["revision"], answer.json()["status"]) == (2, "draft")
    assert client.patch(f"/api/quotes/{quote.pk}", {"remark": "cheaper"}).status_code == 200


# --- lists --------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(li: User) -> list[Quote]:
    """Made on 5, 6 and 7 January (Shanghai), of rising value; the last one submitted."""
    made = []
    for day, (customer, currency, price) in enumerate(
        [("华东机电", "CNY", "10"), ("Acme Ltd", "USD", "20"), ("华东机电", "USD", "30")], start=5
    ):
        item = {"name": "x", "quantity": 1, "unit_price": price}
        data = {"title": f"day {day}", "customer_name": customer, "currency": currency, "items": [item]}
        with time_machine.travel(datetime(2026, 1, day, 15, 30, tzinfo=UTC), tick=False):  # 23:30 in Shanghai
            made.append(quotes.create_quote(data=data, actor=actor_for(li, Channel.INTERNAL)))
    engine.submit(quote=made[-1], actor=actor_for(li, Channel.INTERNAL))
    return made


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("", [7, 6, 5]),
        ("status=draft", [6, 5]),
        ("status=draft&status=in_approval", [7, 6, 5]),
        ("approval_status=submitting", [7]),
        ("quote_number=CIS-20260106-0001", [6]),
        ("customer=acme", [6]),
        ("currency=usd", [7, 6]),
        ("owner=li", [7, 6, 5]),
        ("owner=wang", []),
        ("created_after=2026-01-06", [7, 6]),
        ("created_before=2026-01-06", [6, 5]),
        ("created_after=2026-01-06&created_before=2026-01-06", [6]),
        ("search=acme", [6]),
        ("search=CIS-20260105", [5]),
        ("ordering=total", [5, 6, 7]),
        ("ordering=-total", [7, 6, 5]),
        ("page_size=2", [7, 6]),
        ("page_size=2&page=2", [5]),
    ],
)
def test_lists_are_narrowed_ordered_and_paged(
    three: list[Quote], client: APIClient, query: str, days: list[int]
) -> None:
    answer = client.get(f"/api/quotes?{query}")
    assert answer.status_code == 200
    assert [row["title"] for row in answer.json()["results"]] == [f"day {day}" for day in days]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("status=unheard", 400),
        ("approval_status=", 400),
        ("created_after=yesterday", 400),
        ("created_after=0001-01-01", 400),
        ("created_before=9999-12-31", 400),
        ("quote_number=%00", 400),
        ("search=%00", 400),
        ("owner=%ff%fe", 200),
        ("page=0", 404),
        ("page=9", 404),
        ("page=" + "9" * 5000, 404),
        ("page=x", 404),
        ("page_size=0", 200),
        ("page_size=" + "9" * 5000, 200),
        ("ordering=secret", 200),
    ],
)
def test_unreadable_filters_are_refused(three: list[Quote], client: APIClient, query: str, status: int) -> None:
    answer = client.get(f"/api/quotes?{query}")
    assert answer.status_code == status
    assert isinstance(answer.json(), dict)
