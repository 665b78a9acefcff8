"""Quotes: numbers, totals, sealing, revisions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from approvals import engine, quotes
from approvals.actors import Actor, actor_for
from approvals.exceptions import NotAllowed, WrongState
from approvals.models import ApprovalInstance, Channel, Quote, QuoteItem
from approvals.tests.conftest import CONTENT

money = st.decimals(min_value=0, max_value=99_999_999, places=2)
quantities = st.decimals(min_value=0, max_value=99_999, places=3)


def test_the_total_is_the_sum_of_the_rounded_lines(quote: Quote) -> None:
    quote.refresh_from_db()
    assert quote.total == Decimal("3601.50") + Decimal("24.98")  # 2.5 × 9.99 = 24.975, half up


@given(st.lists(st.tuples(quantities, money), max_size=20))
def test_a_printed_column_of_amounts_adds_up_to_the_total(lines: list[tuple[Decimal, Decimal]]) -> None:
    items = [QuoteItem(quantity=quantity, unit_price=price) for quantity, price in lines]
    assert quotes.total(items) == sum((quotes.amount(q, p) for q, p in lines), Decimal(0))
    assert quotes.total(items) == quotes.total(items).quantize(Decimal("0.01"))


def test_numbers_of_a_day_are_consecutive_and_carry_the_local_date(li: User) -> None:
    actor = actor_for(li, Channel.API)
    numbers = [quotes.create_quote(data=CONTENT, actor=actor).quote_number for _ in range(3)]
    day = f"{timezone.localdate():%Y%m%d}"
    assert numbers == [f"CIS-{day}-{n:04d}" for n in (1, 2, 3)]


def test_a_creation_that_fails_gives_its_number_back(li: User) -> None:
    actor = actor_for(li, Channel.API)
    bad = {**CONTENT, "items": [{"name": "x", "quantity": Decimal(-1), "unit_price": Decimal(1)}]}
    with pytest.raises(IntegrityError), transaction.atomic():
        quotes.create_quote(data=bad, actor=actor)
    assert quotes.create_quote(data=CONTENT, actor=actor).quote_number.endswith("-0001")


@pytest.mark.django_db(transaction=True)
def test_parallel_creations_never_share_or_skip_a_number(li: User) -> None:
    actor = actor_for(li, Channel.API)
    made: list[str] = []
    errors: list[Exception] = []

    def create() -> None:
        try:
            made.extend(quotes.create_quote(data=CONTENT, actor=actor).quote_number for _ in range(5))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(int(number[-4:]) for number in made) == list(range(1, 41))


def test_a_sealed_quote_cannot_be_changed_or_deleted(
    quote: Quote, li: User, submitted: Callable[..., ApprovalInstance]
) -> None:
    submitted()
    actor = actor_for(li, Channel.API)
    with pytest.raises(WrongState) as refusal:
        quotes.update_quote(quote=quote, data={"title": "cheaper"}, actor=actor)
    assert refusal.value.current["approval_status"] == "submitting"
    with pytest.raises(WrongState):
        quotes.delete_quote(quote=quote, actor=actor)
    quote.refresh_from_db()
    assert quote.title == CONTENT["title"]


def test_what_was_sealed_is_what_was_submitted_and_the_seal_notices_a_change(
    quote: Quote, submitted: Callable[..., ApprovalInstance]
) -> None:
    instance = submitted()
    instance.refresh_from_db()
    assert instance.snapshot == quotes.snapshot(quote)
    assert quotes.seal(instance.snapshot) == instance.seal
    instance.snapshot["total"] = "1.00"
    assert quotes.seal(instance.snapshot) != instance.seal


def test_revising_opens_the_content_again_and_keeps_what_was_approved(
    quote: Quote, li: User, wang: User, submitted: Callable[..., ApprovalInstance]
) -> None:
    actor = actor_for(li, Channel.INTERNAL)
    instance = submitted(flow="internal", approvers=["wang.boss"])
    with pytest.raises(WrongState):
        quotes.revise(quote=quote, actor=actor)  # still in approval
    engine.approve(instance=instance, actor=actor_for(wang, Channel.INTERNAL))

    revised = quotes.revise(quote=quote, actor=actor)
    assert (revised.revision, revised.status, revised.approval_status) == (2, "draft", "not_submitted")
    quotes.update_quote(quote=revised, data={"title": "四号车间水泵"}, actor=actor)
    instance.refresh_from_db()
    assert instance.snapshot["title"] == CONTENT["title"]
    assert quotes.snapshot(Quote.objects.get(pk=quote.pk))["title"] == "四号车间水泵"


def test_other_peoples_quotes_are_out_of_reach(quote: Quote, wang: User, as_actor: Callable[..., Actor]) -> None:
    with pytest.raises(NotAllowed):
        quotes.update_quote(quote=quote, data={"title": "mine"}, actor=as_actor(wang))
