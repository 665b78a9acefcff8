"""What ``/metrics`` tells of the way out: what became of the operations at WeCom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from approvals.models import OperationKind, SyncOperation
from config import durable
from config.durable import Status
from config.metrics import Counter

_operations = Counter(
    "quotebridge_operations",
    "Attempts to carry out an operation at WeCom, by outcome; failed ones are repeated.",
    from_zero=True,
    kind=OperationKind.values,
    outcome=(Status.SUCCEEDED.value, Status.FAILED.value, Status.DEAD.value),
)


@receiver(durable.rows_closed, sender=SyncOperation)
def count(rows: Sequence[SyncOperation], status: Status, **_kwargs: Any) -> None:
    for row in rows:
        _operations.add(row.kind, status.value)
