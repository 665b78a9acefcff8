"""Quotes: numbers, content, totals, sealing, revisions. The one place where a total is computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.actors import Actor
from approvals.exceptions import InvalidInput, NotAllowed, WrongState
from approvals.models import InstanceStatus, NumberSequence, Quote, QuoteItem
from approvals.permissions import require_own_quote
from approvals.transitions import QUOTE_STATUS, REVISABLE

CENT = Decimal("0.01")
LARGEST_TOTAL = Decimal("9999999999999999.99")
"""What the column of the total holds."""
MOST_ITEMS = 500
"""Per quote. Far above a real one; bounds what one request makes us compute, seal and send."""
CONTENT_FIELDS = ("title", "customer_name", "contact", "phone", "currency", "valid_until", "remark")
ITEM_FIELDS = ("name", "specification", "quantity", "unit_price")


def next_number() -> str:
    """The next ``CIS-YYYYMMDD-NNNN`` of today (in TIME_ZONE). Consecutive: a failed creation gives its number back.

    Must run in the transaction that creates the quote; parallel creations of a day wait here for one another.
    """
    day = timezone.localdate()
    table = connection.ops.quote_name(NumberSequence._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (day, last) VALUES (%s, 1) "  # noqa: S608 - the table's own name
            f"ON CONFLICT (day) DO UPDATE SET last = {table}.last + 1 RETURNING last",
            [day],
        )
        (number,) = cursor.fetchone()
    return f"CIS-{day:%Y%m%d}-{number:04d}"


def amount(quantity: Decimal, unit_price: Decimal) -> Decimal:
    """What one item costs, rounded to the cent (half up, as on an invoice)."""
    return (quantity * unit_price).quantize(CENT, ROUND_HALF_UP)


def total(items: Iterable[QuoteItem]) -> Decimal:
    """The sum of the items' amounts: each is rounded first, so that the printed column adds up."""
    return sum((amount(item.quantity, item.unit_price) for item in items), Decimal("0.00"))


def create_quote(*, data: Mapping[str, Any], actor: Actor) -> Quote:
    """A new draft from validated ``data`` (CONTENT_FIELDS and ``items``). Raises NotAllowed."""
    if actor.user is None or not actor.may("approvals.add_quote"):
        raise NotAllowed
    with transaction.atomic():
        quote = Quote(quote_number=next_number(), owner=actor.user)
        _write(quote, data)
    return quote


def update_quote(*, quote: Quote, data: Mapping[str, Any], actor: Actor) -> Quote:
    """Change a draft; only what ``data`` holds. ``items``, if given, replace all. Raises WrongState, NotAllowed."""
    with transaction.atomic():
        quote = lock_draft(quote, actor, "approvals.change_quote")
        _write(quote, data)
    return quote


def delete_quote(*, quote: Quote, actor: Actor) -> None:
    """Delete a draft that was never submitted. Raises WrongState, NotAllowed."""
    with transaction.atomic():
        quote = lock_draft(quote, actor, "approvals.delete_quote")
        if quote.approvals.exists():
            raise WrongState(_("This quote has been submitted before; its history is kept."), current=state_of(quote))
        quote.delete()


def lock_draft(quote: Quote, actor: Actor, permission: str) -> Quote:
    """The quote's row, locked, if ``actor`` may change it. Raises WrongState for a sealed one, NotAllowed."""
    quote = Quote.objects.select_for_update().get(pk=quote.pk)
    require_own_quote(actor, quote, permission)
    if quote.sealed:
        raise WrongState(_("This quote is sealed. Revise it to change it."), current=state_of(quote), code="sealed")
    return quote


def _write(quote: Quote, data: Mapping[str, Any]) -> None:
    for name in CONTENT_FIELDS:
        if name in data:
            setattr(quote, name, data[name])
    quote.save()
    if "items" in data:
        replace_items(quote, data["items"])


def replace_items(quote: Quote, items: Sequence[Mapping[str, Any]]) -> None:
    """Give the quote these items, in this order, and its total."""
    quote.items.all().delete()
    rows = [
        QuoteItem(quote=quote, position=position, **{name: item[name] for name in ITEM_FIELDS if name in item})
        for position, item in enumerate(items, start=1)
    ]
    QuoteItem.objects.bulk_create(rows)
    save_total(quote)


def save_total(quote: Quote) -> None:
    """Recompute and store the total from the stored items. Raises InvalidInput for more than the column can hold."""
    quote.total = total(quote.items.all())
    if quote.total > LARGEST_TOTAL:
        raise InvalidInput({"items": [_("The total is too large.")]})
    quote.save(update_fields=["total", "updated_at"])


def revise(*, quote: Quote, actor: Actor) -> Quote:
    """Open revision n+1: the content can be changed again and needs an approval of its own.

    What was submitted before stays as it was sealed. Raises WrongState, NotAllowed.
    """
    with transaction.atomic():
        quote = Quote.objects.select_for_update().get(pk=quote.pk)
        require_own_quote(actor, quote, "approvals.change_quote")
        if quote.approval_status not in REVISABLE:
            raise WrongState(_("Only a quote whose approval has ended can be revised."), current=state_of(quote))
        quote.revision += 1
        quote.approval_status = InstanceStatus.NOT_SUBMITTED
        quote.status = QUOTE_STATUS[InstanceStatus.NOT_SUBMITTED]
        quote.save(update_fields=["revision", "approval_status", "status", "updated_at"])
    return quote


def state_of(quote: Quote) -> dict[str, object]:
    """The state that a refused request is told."""
    return {"id": quote.pk, "status": quote.status, "approval_status": quote.approval_status}


def snapshot(quote: Quote) -> dict[str, Any]:
    """The content that is approved, as plain JSON: decimals and dates as strings."""
    items = list(quote.items.all())
    return {
        "quote_number": quote.quote_number,
        "revision": quote.revision,
        **{name: getattr(quote, name) for name in CONTENT_FIELDS if name != "valid_until"},
        "valid_until": quote.valid_until.isoformat() if quote.valid_until else "",
        "items": [
            {
                "name": item.name,
                "specification": item.specification,
                "quantity": f"{item.quantity.normalize():f}",
                "unit_price": f"{item.unit_price:.2f}",
                "amount": str(amount(item.quantity, item.unit_price)),
            }
            for item in items
        ],
        "total": str(total(items)),
    }


def seal(content: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the canonical form of a snapshot."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
