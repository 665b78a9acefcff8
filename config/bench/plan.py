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
    backlog: int
    """Stored events that are drained."""
    open_approvals: tuple[int, ...]
    rows: tuple[int, int]
    """List pages are compared with the fewer and the more of these."""
    projects: tuple[int, int]
    """Sizes of the library that is mirrored."""
    sync_turns: int
    members: tuple[int, int]
    """Sizes of the company whose directory is read."""
    notices_seconds: int
    """How long waiting messages leave at the members' rate."""
    inbox_rows: int
    """Over which ``/metrics`` looks."""
    decisions: int
    """Of a turn of each variant of the bench of decisions."""
    batch: tuple[int, int]
    """Approvals that one action compares; the fewer to see whether its queries grow."""


FULL = Plan(
    turns=21,
    requests=600,
    warm_up_requests=400,
    seconds=60,
    backlog=20_000,
    open_approvals=(1_000, 10_000),
    rows=(10, 10_000),
    projects=(10_000, 100_000),
    sync_turns=5,
    members=(10_000, 100_000),
    notices_seconds=180,
    inbox_rows=1_000_000,
    decisions=50,
    batch=(10, 1_000),
)
QUICK = Plan(
    turns=5,
    requests=400,
    warm_up_requests=200,
    seconds=8,
    backlog=3_000,
    open_approvals=(1_000,),
    rows=(10, 300),
    projects=(2_000, 10_000),
    sync_turns=3,
    members=(2_000, 20_000),
    notices_seconds=70,
    inbox_rows=50_000,
    decisions=25,
    batch=(10, 1_000),
)


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(text, file=sys.stderr, flush=True)
