"""Cards whose last code is about to end: they are turned while they can still be changed."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from approvals.cards.plan import ENDING
from approvals.models import (
    ApprovalCard,
    ApprovalInstance,
    CardCode,
    CardState,
    InstanceStatus,
    OperationKind,
    SyncOperation,
)
from approvals.record import operation, queue


def queue_ending() -> int:
    """Queue that cards with buttons whose last code ends within ENDING lead to the system from now on.

    Returns for how many approvals. There is one such operation for each newest code: a later run, which comes before
    the first has been carried out or after it was given up, queues nothing more.
    """
    soon = timezone.now() + ENDING
    unspent = CardCode.objects.filter(card=OuterRef("pk"), spent_at__isnull=True)
    ending = ApprovalCard.objects.filter(
        Exists(unspent.filter(until__lt=soon)), ~Exists(unspent.filter(until__gte=soon)), state=CardState.LIVE
    )
    waiting = ApprovalInstance.objects.filter(status=InstanceStatus.PENDING, cards__in=ending)
    with transaction.atomic():
        rows = [
            operation(instance, OperationKind.CARDS, what=f"ending:{instance.newest}")
            for instance in waiting.annotate(newest=Max("cards__codes__pk")).only("pk").order_by("pk")
        ]
        known = set(SyncOperation.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True))
        new = [row for row in rows if row.key not in known]
        queue(*new)
    return len(new)
