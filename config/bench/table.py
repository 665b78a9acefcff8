"""One line per promise: what was measured, against what, and whether it holds."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

HEAD = ("bench", "compared with", "measured", "ratio", "bar", "")


@dataclass(frozen=True, slots=True)
class Line:
    """``ratio`` is what the bar is about: ``kind`` says whether it must be at least or at most ``limit``.

    A line with ``counts=False`` is shown and judged by nobody.
    """

    name: str
    floor: str
    value: str
    ratio: float
    kind: Literal["at least", "at most"]
    limit: float
    unit: str = "×"
    counts: bool = True

    @property
    def ok(self) -> bool:
        return self.ratio >= self.limit if self.kind == "at least" else self.ratio <= self.limit

    @property
    def cells(self) -> tuple[str, ...]:
        sign = "≥" if self.kind == "at least" else "≤"
        verdict = ("ok" if self.ok else "MISSED") if self.counts else "informal"
        ratio, bar = (f"{number:.4g} {self.unit}".strip() for number in (self.ratio, self.limit))
        return self.name, self.floor, self.value, ratio, f"{sign} {bar}", verdict


def missed(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.counts and not line.ok]


def markdown(lines: Sequence[Line]) -> str:
    """A table that reads well as text and as Markdown."""
    rows = [HEAD, *(line.cells for line in lines)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(HEAD))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(f"| {' | '.join(map(_padded, row, widths))} |" for row in rows)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
