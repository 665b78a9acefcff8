"""What a run found: compared by hash while it is read, so that only what differs is kept."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

MOST_EXAMPLES = 10
"""Names of each kind that a difference carries."""
MOST_REASONS = 50
LONGEST_REASON = 300
BLOCK = 500
"""Rows that are packed together."""
NOT_CURRENT = b""
"""In place of a hash: a row that is here and may be missing at WeCom (gone already, or added by hand)."""
UNKNOWN = b"?"
"""In place of a hash: a current row that must be written anew."""
SEEN = b"+"

_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def digest(values: Sequence[Any]) -> str:
    """The hash (32 hex digits) of what WeCom told of one row."""
    return hashlib.blake2b(_canonical(values).encode("utf-8", "replace"), digest_size=16).hexdigest()


@dataclass(slots=True)
class PartDifference:
    """One type's rows against WeCom. ``current``: rows that were current before, which the brake compares with."""

    kind: str
    current: int = 0
    fetched: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0
    examples: dict[str, list[str]] = field(default_factory=lambda: {"created": [], "updated": [], "deleted": []})
    """A few names of what is new, different and gone."""
    reasons: list[str] = field(default_factory=list)
    """Why rows of WeCom could not be used, one sentence each."""
    partial: bool = False
    """A part of it could not be read, and is left as it was."""

    def note(self, change: str, name: str) -> None:
        """One more row that is to be ``created``, ``updated`` or ``deleted``."""
        setattr(self, change, getattr(self, change) + 1)
        if len(self.examples[change]) < MOST_EXAMPLES:
            self.examples[change].append(name)

    def refuse(self, name: str, reason: str) -> None:
        self.failed += 1
        if len(self.reasons) < MOST_REASONS:
            self.reasons.append(f"{name}: {reason}"[:LONGEST_REASON])


COUNTS = ("fetched", "created", "updated", "unchanged", "deleted", "failed")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a run would do, or has done, for each of its types."""

    parts: tuple[PartDifference, ...]

    @property
    def counts(self) -> dict[str, int]:
        """By the names of the run's columns."""
        return {name: sum(getattr(part, name) for part in self.parts) for name in COUNTS}

    @property
    def reasons(self) -> list[str]:
        return [reason for part in self.parts for reason in part.reasons]

    @property
    def partial(self) -> bool:
        return any(part.partial for part in self.parts)


class Standing(Generic[Key]):
    """The hashes of the rows that are here, and which of them WeCom has told of so far.

    One dictionary: about 200 bytes a row while the run reads, less the further it gets.
    """

    def __init__(self, rows: Iterable[tuple[Key, str, bool]], *, believe: bool = True) -> None:
        """``rows``: key, hash, and whether it is current. ``believe=False``: every row counts as different."""
        self._known: dict[Key, bytes] = {}
        self.current = 0
        for key, stored, is_current in rows:
            if not is_current:
                self._known[key] = NOT_CURRENT
                continue
            self.current += 1
            self._known[key] = bytes.fromhex(stored) if stored and believe else UNKNOWN

    def take(self, key: Key, now: str) -> str | None:
        """Compare what WeCom tells of one row: ``created``, ``updated``, ``unchanged``; None when it came before."""
        before = self._known.get(key)
        if before is SEEN:
            return None
        self._known[key] = SEEN
        if before is None:
            return "created"
        return "unchanged" if len(before) > 1 and before.hex() == now else "updated"

    def keep(self, key: Key) -> None:
        """WeCom told of this row, but nothing that can be used: it stays as it is."""
        self._known[key] = SEEN

    def seen(self, key: Key) -> bool:
        return self._known.get(key) is SEEN

    def missing(self) -> list[Key]:
        """Current rows that WeCom has not told of."""
        return [key for key, stored in self._known.items() if stored is not SEEN and stored is not NOT_CURRENT]


class Kept:
    """Rows that wait for the end of the reading, packed: a directory of 100,000 must not fill the memory."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._open: list[list[Any]] = []
        self._count = 0

    def add(self, row: list[Any]) -> None:
        """``row``: values that JSON knows."""
        self._count += 1
        self._open.append(row)
        if len(self._open) >= BLOCK:
            self._blocks.append(zlib.compress(json.dumps(self._open).encode(), 1))
            self._open = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[list[Any]]:
        for block in self._blocks:
            yield from json.loads(zlib.decompress(block))
        yield from self._open

    def blocks(self) -> Iterator[list[list[Any]]]:
        """The same, some hundred at a time."""
        for block in self._blocks:
            yield json.loads(zlib.decompress(block))
        if self._open:
            yield self._open
