"""The rows of a decision are written past the ORM's signals, and read past its query sets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import signals

from approvals import steps
from approvals.models import ApprovalInstance, ApprovalStep, ApprovalTimeline, SyncOperation
from approvals.record import lock


@pytest.mark.parametrize("model", [ApprovalInstance, ApprovalStep, ApprovalTimeline, SyncOperation])
@pytest.mark.parametrize("signal", [signals.pre_save, signals.post_save])
def test_nobody_waits_for_a_signal_that_is_not_sent(signal: signals.ModelSignal, model: type) -> None:
    assert not signal.has_listeners(model), f"config.statements writes {model.__name__} without it"


@pytest.mark.django_db
def test_an_approval_is_locked_with_its_quote(submitted: Callable[..., ApprovalInstance]) -> None:
    row = submitted(approvers=["wang.boss"], sp_no="202601050001")
    with transaction.atomic():
        locked = lock(row)
    known = ApprovalInstance.objects.select_related("quote").get(pk=row.pk)
    for ours, theirs in ((locked, known), (locked.quote, known.quote)):
        assert [getattr(ours, field.attname) for field in ours._meta.concrete_fields] == [
            getattr(theirs, field.attname) for field in theirs._meta.concrete_fields
        ]


@pytest.mark.django_db
def test_the_places_are_read_in_their_order(submitted: Callable[..., ApprovalInstance]) -> None:
    row = submitted(approvers=["wang.boss", "zhao.vp"])
    places = [ApprovalStep(instance=row, node=node, position=3 - node, userid=f"u{node}") for node in (2, 1)]
    ApprovalStep.objects.bulk_create(places)
    assert [step.userid for step in steps.of(row)] == ["wang.boss", "zhao.vp", "u1", "u2"]
