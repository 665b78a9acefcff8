"""How much is measured: the full plan behind the published table, and a quick one for a look in between."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    turns: int
    """Of each variant of the intake bench: many short ones, as the processor changes its speed every few seconds."""
    requests: int
    """Per turn."""
    warm_up_requests: int
    seconds: int
    """How long 50 events a second arrive."""
    repetitions: int
    """Of the backlog."""
    backlog: int
    """Stored events that are drained in one repetition."""
    naive_backlog: int
    """Of the naive variant, which is so slow that a part must do."""
    open_approvals: tuple[int, ...]
    rows: tuple[int, int]
    """List pages are compared with the fewer and the more of these."""


FULL = Plan(
    turns=21,
    requests=600,
    warm_up_requests=400,
    seconds=60,
    repetitions=5,
    backlog=20_000,
    naive_backlog=2_000,
    open_approvals=(1_000, 10_000),
    rows=(10, 10_000),
)
QUICK = Plan(
    turns=5,
    requests=400,
    warm_up_requests=200,
    seconds=8,
    repetitions=3,
    backlog=3_000,
    naive_backlog=400,
    open_approvals=(1_000,),
    rows=(10, 300),
)


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(text, file=sys.stderr, flush=True)
