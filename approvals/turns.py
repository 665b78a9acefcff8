"""Whose turn it is: the approvals that wait for one person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from approvals import permissions
from approvals.actors import Actor
from approvals.exceptions import NotAllowed
from approvals.models import ApprovalInstance, ApprovalStep, InstanceStatus, StepStatus
from approvals.visibility import in_company_of, places_of
from wecom.models import Member

CHUNK = 100


def waiting_for(
    member: Member, acting: Callable[[ApprovalInstance], Actor], rows: QuerySet[ApprovalInstance], *, most: int
) -> list[ApprovalInstance]:
    """Those of ``rows`` that ``member`` is to decide now, the oldest first; at most ``most``.

    ``acting``: as whom the member acts on an approval, of whose rights the engine is asked.
    """
    waiting = (instance for instance in _candidates(member, rows) if _is_up(acting(instance), instance))
    return list(islice(waiting, most))


def _candidates(member: Member, rows: QuerySet[ApprovalInstance]) -> Iterator[ApprovalInstance]:
    """Pending ones with an undecided place of the member's; whether its turn has come is for the engine to say."""
    places = places_of(member).filter(instance=OuterRef("pk"), status=StepStatus.PENDING)
    pending = rows.filter(in_company_of(member), Exists(places), status=InstanceStatus.PENDING)
    related = pending.select_related("quote__owner", "applicant").prefetch_related(
        Prefetch("steps", ApprovalStep.objects.order_by("node", "position"))
    )
    return related.order_by("submitted_at", "pk").iterator(chunk_size=CHUNK)


def _is_up(actor: Actor, instance: ApprovalInstance) -> bool:
    """In a place of their own; who may decide in everybody's is not waited for."""
    try:
        return bool(permissions.deciding_steps(actor, instance, list(instance.steps.all())))
    except NotAllowed:
        return False
