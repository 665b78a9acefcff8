"""The metrics of synchronisations, the same for whatever is synchronised: how the last run of each ended.

Read from the runs' own rows, so they are right after any restart and however many workers there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery, Value
from prometheus_client.metrics_core import Metric

from config.metrics import gauge

MOST_OWNERS = 50
SUCCESS = "success"
_LAST, _SUCCEEDED = "last", "succeeded"

Found = dict[tuple[str, ...], Any]


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs that belong to ``owners``, which have a slug. Wants an index over owner, type where told apart, and time."""

    kind: str
    """Begins the names: ``project_sync``."""
    owner: str
    """The runs' column that names their owner."""
    label: str
    """What owners are called in labels."""
    owners: QuerySet[Any]
    runs: QuerySet[Any]
    rows: Mapping[str, str]
    """Word → the column of a run that counts such rows."""
    types: Sequence[str] = ()
    """Values of ``sync_type`` that are told apart, with a label ``type``; none: they are not."""
    passed: Sequence[str] = (SUCCESS,)
    """Statuses of a run after which what is here is current."""
    awaited: Q = field(default_factory=Q)
    """Which owners should be read, and are told of with 0 when they never were; those beside them may be left alone."""

    def read(self) -> Iterator[Metric]:
        """Two statements, whatever the number of owners and runs."""
        keys = self._keys()
        runs = self.runs.in_bulk({key for found in keys.values() for key in found.values() if key is not None})
        last = {labels: runs[key] for labels, key in keys[_LAST].items()}
        succeeded = {labels: runs.get(key) for labels, key in keys[_SUCCEEDED].items()}
        return self._families(last, succeeded)

    def _keys(self) -> dict[str, Found]:
        wanted: dict[str, Subquery] = {}
        for kind in self.types or ("",):
            narrow = {"sync_type": kind} if kind else {}
            wanted[f"{_LAST}_{kind}"] = self._newest(**narrow)
            wanted[f"{_SUCCEEDED}_{kind}"] = self._newest(**narrow, status__in=self.passed)
        awaited = ExpressionWrapper(self.awaited, BooleanField()) if self.awaited else Value(True)
        owners = self.owners.order_by("pk").annotate(awaited=awaited, **wanted)
        keys: dict[str, Found] = {_LAST: {}, _SUCCEEDED: {}}
        for row in owners.values("slug", "awaited", *wanted)[:MOST_OWNERS]:
            for name in wanted:
                which, _, kind = name.partition("_")
                if row[name] is not None or (which == _SUCCEEDED and row["awaited"]):
                    keys[which][(row["slug"], kind) if kind else (row["slug"],)] = row[name]
        return keys

    def _newest(self, **narrow: Any) -> Subquery:
        runs = self.runs.filter(**{self.owner: OuterRef("pk")}, finished_at__isnull=False, **narrow)
        return Subquery(runs.order_by("-created_at").values("pk")[:1])

    def _families(self, last: Found, succeeded: Found) -> Iterator[Metric]:
        names = (self.label, "type") if self.types else (self.label,)
        durations = [(labels, run.duration.total_seconds()) for labels, run in last.items() if run.duration]
        yield gauge(f"{self.kind}_seconds", "What the last run took.", durations, names)
        rows = [((*labels, w), getattr(run, column)) for labels, run in last.items() for w, column in self.rows.items()]
        yield gauge(f"{self.kind}_rows", "Rows of the last run, by what was done with them.", rows, (*names, "result"))
        ended = [((*labels, str(run.status)), run.finished_at.timestamp()) for labels, run in last.items()]
        yield gauge(
            f"{self.kind}_ended_timestamp_seconds",
            "When the last run ended (Unix time), and how.",
            ended,
            (*names, "status"),
        )
        good = [(labels, run.finished_at.timestamp() if run else 0.0) for labels, run in succeeded.items()]
        yield gauge(
            f"{self.kind}_succeeded_timestamp_seconds",
            "When a run last brought everything up to date (Unix time); 0: never.",
            good,
            names,
        )
