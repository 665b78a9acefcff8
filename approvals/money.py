"""Money as people read it, the same on every page, card and form: ``3,626.48``, in the language's own separators."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format


def money(value: Decimal | str) -> str:
    """Two decimals and separators, without the currency."""
    return number_format(Decimal(value), 2, use_l10n=True, force_grouping=True)


def total_of(content: Mapping[str, Any]) -> str:
    """The total of a sealed content, with its currency: ``CNY 3,626.48``."""
    return f"{content['currency']} {money(content['total'])}"
