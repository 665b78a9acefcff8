"""Reading single values out of what WeCom wrote, XML or JSON alike, without trusting it to be well formed.

Everything here works on a *folded* document. No function raises: a missing or odd value reads as empty. Whoever cannot
do without it raises a BadDocument. Django-free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


class BadDocument(ValueError):
    """What WeCom wrote cannot be used. ``reason`` is a sentence (an English message id)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def folded(value: Any) -> Any:
    """Keys in lower case and without underscores: SpTime, Sptime, sptime and sp_time are one key.

    WeCom's own pages disagree on the spelling (ItemUserid, ItemUserId; OpenSpStatus, OpenSpstatus), and event and
    detail of one approval differ in nothing else.
    """
    if isinstance(value, Mapping):
        return {key.replace("_", "").lower(): folded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [folded(inner) for inner in value]
    return value


def listed(value: Any) -> Sequence[Any]:
    """The values of a tag that may be missing, single or repeated."""
    if isinstance(value, list):
        return value
    return () if value in (None, "") else (value,)


def nodes_of(node: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Children that are objects, however many; an empty tag is none."""
    return [child for child in listed(node.get(key)) if isinstance(child, Mapping)]


def node_of(node: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The first such child, or an empty object."""
    return next(iter(nodes_of(node, key)), {})


def text_of(node: Mapping[str, Any], key: str) -> str:
    """The (first) value as stripped text; ``""`` for none and for an object."""
    value = next(iter(listed(node.get(key))), "")
    return str(value).strip() if isinstance(value, str | int | float) else ""


def number_of(node: Mapping[str, Any], key: str) -> int:
    """0 where there is no number; WeCom's codes begin at 1."""
    text = text_of(node, key)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def moment(node: Mapping[str, Any], key: str) -> datetime | None:
    """Unix seconds as an aware UTC datetime."""
    return instant(text_of(node, key))


def instant(seconds: str) -> datetime | None:
    """Unix seconds as an aware UTC datetime; None for 0 (WeCom's "not yet"), for no number and for absurd ones."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        return None
    return datetime.fromtimestamp(int(seconds), UTC) if int(seconds) else None


def latest(*moments: datetime | None) -> datetime | None:
    """The last of those that are known."""
    return max((known for known in moments if known), default=None)
