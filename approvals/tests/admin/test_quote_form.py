"""Making and changing quotes on the form."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.urls import reverse

from approvals import quotes
from approvals.models import ApprovalInstance, Quote
from approvals.tests.admin.conftest import Browser

Login = Callable[..., Browser]
ADD = "/admin/approvals/quote/add/"


def form(items: list[dict[str, Any]], *, stored: int = 0, **fields: Any) -> dict[str, Any]:
    """What the browser sends. ``stored``: how many of ``items``, the first ones, carry the id of a stored row."""
    data: dict[str, Any] = {
        "title": "Pumps",
        "customer_name": "ACME",
        "currency": "CNY",
        "contact": "",
        "phone": "",
        "remark": "",
    }
    data |= {"valid_until": "", "items-TOTAL_FORMS": len(items), "items-INITIAL_FORMS": stored}
    for index, item in enumerate(items):
        data |= {f"items-{index}-{name}": value for name, value in ({"specification": ""} | item).items()}
    return data | fields


def change_url(quote: Quote) -> str:
    return reverse("admin:approvals_quote_change", args=[quote.pk])


def stored_items(quote: Quote) -> list[dict[str, Any]]:
    return [
        {"id": item.pk, "quote": quote.pk, "name": item.name, "quantity": item.quantity, "unit_price": item.unit_price}
        for item in quote.items.all()
    ]


def test_a_new_quote_gets_number_owner_order_and_total(li: User, log_in: Login) -> None:
    items = [
        {"name": "Pump", "quantity": "3", "unit_price": "1200.50"},
        {"name": "Seal", "quantity": "2.5", "unit_price": "9.99"},
    ]
    response = log_in(li).post(ADD, form(items))
    assert response.status_code == 302, response.context["errors"]
    quote = Quote.objects.get()
    assert quote.quote_number.startswith("CIS-")
    assert quote.owner == li
    assert quote.total == Decimal("3626.48")
    assert [(item.position, item.name) for item in quote.items.all()] == [(1, "Pump"), (2, "Seal")]
    assert LogEntry.objects.filter(user=li, action_flag=ADDITION, object_id=str(quote.pk)).exists()


def test_fields_that_the_machine_writes_cannot_be_smuggled_in(li: User, zhao: User, log_in: Login) -> None:
    smuggled: dict[str, Any] = {
        "owner": zhao.pk,
        "quote_number": "CIS-1",
        "total": "1",
        "approval_status": "approved",
        "revision": "9",
    }
    log_in(li).post(ADD, form([{"name": "Pump", "quantity": "1", "unit_price": "5"}]) | smuggled)
    quote = Quote.objects.get()
    assert (quote.owner, quote.total, quote.approval_status, quote.revision) == (li, Decimal(5), "not_submitted", 1)
    assert quote.quote_number != "CIS-1"


def test_changing_removing_and_adding_items_recomputes_the_total(quote: Quote, li: User, log_in: Login) -> None:
    first, second = stored_items(quote)
    items = [
        first | {"quantity": "1"},
        second | {"DELETE": "on"},
        {"name": "Freight", "quantity": "1", "unit_price": "80"},
    ]
    assert log_in(li).post(change_url(quote), form(items, stored=2)).status_code == 302
    quote.refresh_from_db()
    assert [item.name for item in quote.items.all()] == ["Pump X1", "Freight"]
    assert quote.total == Decimal("1280.50")
    entry = LogEntry.objects.get(action_flag=CHANGE)
    assert "Freight" in entry.change_message


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"name": "Pump", "quantity": "-1", "unit_price": "5"}, "quantity"),
        ({"name": "Pump", "quantity": "1", "unit_price": "-5"}, "unit_price"),
        ({"name": "", "quantity": "1", "unit_price": "5"}, "name"),
        ({"name": "Pump", "quantity": "many", "unit_price": "5"}, "quantity"),
    ],
)
def test_bad_items_are_said_on_their_field_and_nothing_is_written(
    li: User, log_in: Login, item: dict[str, Any], field: str
) -> None:
    response = log_in(li).post(ADD, form([item]))
    assert response.status_code == 200
    assert field in response.context["inline_admin_formsets"][0].formset.errors[0]
    assert not Quote.objects.exists()


def test_a_total_that_fits_no_column_is_refused_in_a_sentence(li: User, log_in: Login) -> None:
    huge = {"name": "Planet", "quantity": "999999999", "unit_price": "999999999999"}
    response = log_in(li).post(ADD, form([huge]))
    assert "larger than a quote can hold" in response.content.decode()
    assert not Quote.objects.exists()


def test_as_many_items_as_a_quote_may_have_can_be_made_and_changed(li: User, log_in: Login) -> None:
    client = log_in(li)
    item = {"name": "Pump", "quantity": "1", "unit_price": "2.50"}
    client.post(ADD, form([item] * 200))
    quote = Quote.objects.get()
    assert (quote.items.count(), quote.total) == (200, Decimal(500))
    items = [*stored_items(quote), *[item] * (quotes.MOST_ITEMS - 200)]
    assert client.post(change_url(quote), form(items, stored=200)).status_code == 302
    quote.refresh_from_db()
    assert (quote.items.count(), quote.total) == (500, Decimal(1250))
    items = [*({**row, "DELETE": ""} for row in stored_items(quote)), item]
    response = client.post(change_url(quote), form(items, stored=500))
    assert "at most 500" in response.content.decode()
    assert quote.items.count() == quotes.MOST_ITEMS


def test_a_sealed_quote_takes_no_changes_however_they_are_sent(
    submitted: Callable[..., ApprovalInstance], li: User, ada: User, log_in: Login
) -> None:
    quote = submitted(sp_no="202601050001").quote
    items = [item | {"unit_price": "1"} for item in stored_items(quote)]
    for user in (li, ada):
        assert 'name="title"' not in log_in(user).page(change_url(quote))
        answer = log_in(user).post(change_url(quote), form(items, stored=2, title="Tampered"))
        assert answer.status_code == 403
        answer = log_in(user).post(reverse("admin:approvals_quote_delete", args=[quote.pk]), {"post": "yes"})
        assert answer.status_code == 403
    quote.refresh_from_db()
    assert (quote.title, quote.total) == ("三号车间水泵", Decimal("3626.48"))


def test_a_quote_of_somebody_else_is_read_only(quote: Quote, person: Callable[..., User], log_in: Login) -> None:
    other = person("sun", "", "view_quote", "change_quote", "view_all_quotes", "delete_quote")
    assert log_in(other).post(change_url(quote), form([], title="Mine now")).status_code == 403
    manager = person("qian", "", "view_quote", "change_quote", "view_all_quotes", "manage_all_quotes")
    assert log_in(manager).post(change_url(quote), form(stored_items(quote), stored=2, title="Ours")).status_code == 302
    quote.refresh_from_db()
    assert quote.title == "Ours"
    assert quote.owner != manager


def test_a_draft_can_be_deleted_by_its_owner(quote: Quote, li: User, log_in: Login) -> None:
    answer = log_in(li).post(reverse("admin:approvals_quote_delete", args=[quote.pk]), {"post": "yes"})
    assert answer.status_code == 302
    assert not Quote.objects.exists()
