"""What changed from one revision to the next, in the words of every page, card and form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from approvals import engine, quotes, revisions
from approvals.actors import Actor
from approvals.models import ApprovalInstance, Quote
from approvals.money import total_of
from approvals.revisions import change_of_total, changes

ENDLESS = "9999999999999999.99"


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def content(total: str, currency: str = "CNY", **more: Any) -> dict[str, Any]:
    return {"currency": currency, "total": total, **more}


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (None, "100.00", "First submission"),
        ("100.00", "100.00", "Total as before"),
        ("100.00", "112.50", "+12.50 (+12.5 %)"),
        ("300.00", "200.00", "−100.00 (−33.3 %)"),
        ("0.00", "5.00", "+5.00"),
        ("0.01", ENDLESS, "+9,999,999,999,999,999.98 (+99,999,999,999,999,999,800.0 %)"),
    ],
)
def test_the_change_of_the_total_in_words(before: str | None, now: str, words: str) -> None:
    assert change_of_total(content(now), None if before is None else content(before)) == words


def test_totals_of_two_currencies_are_not_subtracted() -> None:
    assert change_of_total(content("90.00"), content("1300.00", "USD")) == "Before: USD 1,300.00"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_money_has_separators_in_every_language(language: str) -> None:
    with translation.override(language):
        assert total_of(content("3626.48")) == "CNY 3,626.48"


def test_added_removed_and_changed_items_are_named() -> None:
    def with_items(*prices: str) -> dict[str, Any]:
        items = [
            {"name": f"P{n}", "specification": "", "quantity": "1", "unit_price": price, "amount": price}
            for n, price in enumerate(prices, 1)
        ]
        return content("3.00", items=items)

    before, after = with_items("1.00", "2.00"), with_items("1000.00")
    assert changes(after, before) == [
        ("Item 1", "P1: 1 × 1.00 = 1.00", "P1: 1 × 1,000.00 = 1,000.00"),
        ("Item 2", "P2: 1 × 2.00 = 2.00", ""),
    ]
    assert [change.old for change in changes(before, after)] == ["P1: 1 × 1,000.00 = 1,000.00", ""]


def test_fields_are_called_and_written_as_on_a_quote() -> None:
    before = content("1200.00", title="A", valid_until="")
    after = content("900.00", title="B", valid_until="2026-12-31", remark="new")
    assert changes(after, before) == [
        ("Title", "A", "B"),
        ("Valid until", "", "Dec. 31, 2026"),
        ("Remark", "", "new"),
        ("Total", "1,200.00", "900.00"),
    ]
    assert changes(after, after) == changes(after, None) == []


@pytest.mark.django_db
def test_compared_is_what_was_submitted_last_before_the_revision(
    quote: Quote, li: User, submitted: Callable[..., ApprovalInstance], as_actor: Callable[..., Actor]
) -> None:
    """Not what stood in a revision that nobody submitted, nor an earlier attempt with the same revision."""
    assert revisions.submitted_before(quote.pk, 1) is None
    for title in ("one", "one, again", "two"):
        if title == "two":
            quotes.revise(quote=Quote.objects.get(), actor=as_actor(li))
        Quote.objects.update(title=title)
        engine.withdraw(instance=submitted(approvers=["wang.boss"]), actor=as_actor(li))
    quotes.revise(quote=Quote.objects.get(), actor=as_actor(li))
    Quote.objects.update(title="three, never submitted")
    titles = [before and before["title"] for before in (revisions.submitted_before(quote.pk, n) for n in (1, 2, 3, 4))]
    assert titles == [None, "one, again", "two", "two"]
