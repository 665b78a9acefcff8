"""What a project's own fields are called on the page, which of them come first, and how their values read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from projects.models import ProjectType

NAMES: dict[str, Promise] = {
    "customer_name": pgettext_lazy("project field", "Customer"),
    "phone": pgettext_lazy("project field", "Phone"),
    "contact": pgettext_lazy("project field", "Contact"),
    "address": pgettext_lazy("project field", "Address"),
    "product": pgettext_lazy("project field", "Product"),
    "product_name": pgettext_lazy("project field", "Product"),
    "device": pgettext_lazy("project field", "Device"),
    "model": pgettext_lazy("project field", "Model"),
    "specification": pgettext_lazy("project field", "Specification"),
    "quantity": pgettext_lazy("project field", "Quantity"),
    "unit": pgettext_lazy("project field", "Unit"),
    "amount": pgettext_lazy("project field", "Amount"),
    "currency": pgettext_lazy("project field", "Currency"),
    "budget": pgettext_lazy("project field", "Budget"),
    "order_number": pgettext_lazy("project field", "Order number"),
    "contract_number": pgettext_lazy("project field", "Contract number"),
    "quote_number": pgettext_lazy("project field", "Quotation number"),
    "serial_number": pgettext_lazy("project field", "Serial number"),
    "requirement": pgettext_lazy("project field", "Requirement"),
    "solution": pgettext_lazy("project field", "Solution"),
    "problem": pgettext_lazy("project field", "Problem"),
    "fault": pgettext_lazy("project field", "Problem"),
    "cause": pgettext_lazy("project field", "Cause"),
    "service_type": pgettext_lazy("project field", "Kind of service"),
    "warranty": pgettext_lazy("project field", "Warranty"),
    "under_warranty": pgettext_lazy("project field", "Under warranty"),
    "warranty_until": pgettext_lazy("project field", "Warranty until"),
    "priority": pgettext_lazy("project field", "Priority"),
    "carrier": pgettext_lazy("project field", "Carrier"),
    "shipping_number": pgettext_lazy("project field", "Shipping number"),
    "tracking_number": pgettext_lazy("project field", "Shipping number"),
    "shipping_time": pgettext_lazy("project field", "Shipped on"),
    "shipped_at": pgettext_lazy("project field", "Shipped on"),
    "delivery_date": pgettext_lazy("project field", "Delivery"),
    "delivery_time": pgettext_lazy("project field", "Delivery"),
    "expected_at": pgettext_lazy("project field", "Expected"),
    "payment_status": pgettext_lazy("project field", "Payment"),
    "payment_method": pgettext_lazy("project field", "Paid by"),
    "payment_time": pgettext_lazy("project field", "Paid on"),
    "paid_at": pgettext_lazy("project field", "Paid on"),
    "visit_time": pgettext_lazy("project field", "Visit"),
    "site_survey": pgettext_lazy("project field", "Site survey"),
    "site_phone": pgettext_lazy("project field", "Phone on site"),
    "reported_at": pgettext_lazy("project field", "Reported on"),
    "resolved_at": pgettext_lazy("project field", "Resolved on"),
    "completed_at": pgettext_lazy("project field", "Completed on"),
    "created_at": pgettext_lazy("project field", "Opened on"),
    "updated_at": pgettext_lazy("project field", "Last change"),
    "description": pgettext_lazy("project field", "Description"),
    "remark": pgettext_lazy("project field", "Remark"),
}
"""Fields that libraries are known to send. One that is not here stands under “More”, under its own name."""

_GOODS = ("product", "product_name", "device", "model", "specification", "quantity", "unit")
_PARCEL = (
    "carrier",
    "shipping_number",
    "tracking_number",
    "shipping_time",
    "shipped_at",
    "delivery_date",
    "delivery_time",
)
_MONEY = ("amount", "currency", "payment_status", "payment_method", "payment_time", "paid_at")
_PERSON = ("customer_name", "phone")

FIRST: dict[str, tuple[str, ...]] = {
    ProjectType.PRESALE: (
        *_GOODS,
        "requirement",
        "solution",
        "budget",
        "site_survey",
        "expected_at",
        "quote_number",
        *_PERSON,
    ),
    ProjectType.SALES: ("order_number", "contract_number", *_GOODS, *_MONEY, *_PARCEL, *_PERSON),
    ProjectType.AFTERSALES: (
        *("product", "product_name", "device", "model", "serial_number", "problem", "fault", "cause", "solution"),
        *("service_type", "warranty", "under_warranty", "warranty_until", "visit_time"),
        *(*_PARCEL, *_PERSON),
    ),
}
"""What somebody who opens a project of that type looks for, in that order; then the other known fields."""

HEAD = frozenset({"id", "type", "title", "status", "stakeholders"})
"""Shown elsewhere on the page."""


def in_order(kind: str, keys: Sequence[str]) -> list[str]:
    """The known fields among ``keys`` as the page of a project of that type lists them."""
    wanted = dict.fromkeys([*FIRST.get(kind, ()), *NAMES])
    return [key for key in wanted if key in keys]


def name_of(key: str) -> str:
    """A field's name for people; one that is not known reads as its key does: ``rack_unit`` → “Rack unit”."""
    if key in NAMES:
        return str(NAMES[key])
    words = key.replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else key


def value_text(value: Any) -> str:
    """A JSON value for people, in lines; empty for what says nothing (null, "", [], {})."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Mapping):
        parts = {name_of(str(key)): value_text(item) for key, item in value.items()}
        colon = pgettext("between a field's name and its value", ": ")
        return "\n".join(f"{name}{colon}{text}" for name, text in parts.items() if text)
    if isinstance(value, list):
        texts = [text for text in map(value_text, value) if text]
        nested = any(isinstance(item, Mapping | list) for item in value)
        return "\n".join(texts) if nested else pgettext("between the parts of a list", ", ").join(texts)
    return "" if value is None else str(value).strip()
