"""What WeCom tells of a row, made fit for our columns. ``None`` means that it told nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LARGEST = 2**32 - 1
"""Of department IDs and orders (doc 90208)."""


def text(told: Mapping[str, Any], key: str, longest: int) -> str | None:
    """Cut to what the column holds; no NUL, which PostgreSQL cannot keep."""
    value = told.get(key)
    if value is None or isinstance(value, dict | list | bool):
        return None
    return str(value).replace("\0", "").strip()[:longest]


def number(value: Any) -> int | None:
    """A whole number that WeCom's fields can have; it writes some of them as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    return value if type(value) is int and 0 <= value <= LARGEST else None


def numbers(value: Any) -> list[int]:
    """A list of numbers; what is none becomes 0, so that parallel lists stay parallel."""
    return [number(one) or 0 for one in value] if isinstance(value, list) else []


def texts(value: Any, longest: int) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return [one.replace("\0", "")[:longest] for one in value if isinstance(one, str)]
