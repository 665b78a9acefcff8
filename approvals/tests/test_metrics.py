"""Operations by kind and outcome, as /metrics tells them; and that every outcome of an event has a label."""

from __future__ import annotations

import pytest

from approvals import operations
from approvals.models import OperationKind, Outcome, SyncOperation
from config.testing.metrics import series, told
from wecom.metrics import OUTCOMES


def test_every_outcome_of_an_event_has_a_label_of_its_own() -> None:
    assert set(Outcome.values) <= set(OUTCOMES)


@pytest.mark.django_db(transaction=True)
def test_attempts_are_counted_by_kind_and_outcome(submitted) -> None:
    instance = submitted()
    operation = SyncOperation.objects.get(instance=instance)
    assert operation.kind == OperationKind.SUBMIT
    instance.config.enabled = False
    instance.config.save()
    operations.run_due()  # the app is switched off: it fails, and will be repeated
    assert series(told(), "quotebridge_operations", "_total") == {("submit", "failed"): 1}
