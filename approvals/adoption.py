"""Submissions of which nobody knows whether they arrived: looking for them at WeCom, and for whom parked events are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import structlog
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from redis import RedisError

from approvals.comparison import Comparison, CountedClient
from approvals.models import ApprovalInstance, Flow, InstanceStatus, OperationKind, SyncOperation
from approvals.submission import carries, find_submitted
from config.durable import OPEN, Status
from wecom import xml
from wecom.crypto import Unparsable
from wecom.inbox import PARKED_FOR, release_parked
from wecom.models import CallbackEvent
from wecom.oa import get_approval_detail
from wecom.redis import redis
from wecom.snapshots import BadSnapshot, RemoteApproval, from_oa_event

logger = structlog.get_logger(__name__)

MOST_SEARCHES = 50
"""Submissions looked for in one run; each costs a list and some details."""
MOST_PARKED = 1_000
ABANDONED_AFTER = timedelta(minutes=1)
"""A submission without an open operation is a fault only after a moment: its row may just be finishing."""
_WITHOUT_NUMBER = (InstanceStatus.SUBMITTING, InstanceStatus.CANCELLED, InstanceStatus.FAILED)


def find_abandoned(comparison: Comparison) -> None:
    """Look up submissions whose operation died or is gone."""
    alive = SyncOperation.objects.filter(instance=OuterRef("pk"), kind=OperationKind.SUBMIT, status__in=OPEN)
    abandoned = _without_number().filter(
        ~Exists(alive),
        status=InstanceStatus.SUBMITTING,
        submitted_at__lt=timezone.now() - ABANDONED_AFTER,
    )
    for instance in abandoned.order_by("submitted_at")[:MOST_SEARCHES]:
        look_up(comparison, instance)


def look_up(comparison: Comparison, instance: ApprovalInstance) -> None:
    """Search WeCom for the submission of ``instance`` and adopt it if it is there."""

    def search(client: CountedClient) -> None:
        found = find_submitted(client, instance)
        if found is not None:
            comparison.adopt(instance, found)

    if instance.config is not None:
        comparison.attempt(instance.config, search, about=instance.third_no)


def _without_number() -> QuerySet[ApprovalInstance]:
    related = ApprovalInstance.objects.select_related("config", "template__config")
    return related.filter(flow=Flow.WECOM_OA, sp_no="", template__isnull=False, config__enabled=True)


def place_parked(comparison: Comparison) -> None:
    """Give parked events to the approvals they belong to: those known by now, and those recognised by our number in
    the form."""
    parked = list(_parked_subjects())
    known = set(ApprovalInstance.objects.filter(sp_no__in=parked).values_list("sp_no", flat=True))
    known |= set(ApprovalInstance.objects.filter(third_no__in=parked).values_list("third_no", flat=True))
    comparison.report.released += release_parked(known)
    recent = timezone.now() - PARKED_FOR
    candidates = list(_without_number().filter(status__in=_WITHOUT_NUMBER, submitted_at__gte=recent))
    if candidates:
        for event in _first_events([number for number in parked if number not in known]):
            _recognise(comparison, event, candidates)


def _parked_subjects() -> Iterator[str]:
    """Their numbers, each once, newest first."""
    parked = CallbackEvent.objects.filter(parked_at__isnull=False, status=Status.FAILED).exclude(subject="")
    subjects = parked.order_by("-parked_at").values_list("subject", flat=True)[:MOST_PARKED]
    yield from dict.fromkeys(subjects)


def _first_events(subjects: list[str]) -> Iterator[CallbackEvent]:
    seen: set[str] = set()
    for event in CallbackEvent.objects.filter(subject__in=subjects, event="sys_approval_change").order_by("pk"):
        if event.subject not in seen:
            seen.add(event.subject)
            yield event


def _recognise(comparison: Comparison, event: CallbackEvent, candidates: list[ApprovalInstance]) -> None:
    try:
        told = from_oa_event(xml.parse(event.payload.encode()), event.event_time or event.created_at)
    except (BadSnapshot, Unparsable):
        return  # the inbox says so on the event itself
    possible = [instance for instance in candidates if _could_be(told, instance)]
    if not possible or _read_before(told.sp_no):
        return

    def read(client: CountedClient) -> None:
        detail = get_approval_detail(client, told.sp_no, lane=comparison.lane)
        owner = next((instance for instance in possible if carries(detail, instance)), None)
        if owner is None:
            _remember_read(told.sp_no)
        else:
            candidates.remove(owner)
            comparison.adopt(owner, detail)

    config = possible[0].config
    if config is not None:
        comparison.attempt(config, read, about=told.sp_no)


def _could_be(told: RemoteApproval, instance: ApprovalInstance) -> bool:
    """Whether the event may be about ``instance``; spares a call for everybody else's forms."""
    same_template = instance.template is not None and told.template_id in ("", instance.template.template_id)
    return same_template and told.applicant.casefold() in ("", instance.applicant_userid.casefold())


def _read_before(sp_no: str) -> bool:
    """A form that is nobody's here stays so: it is read once, not in every run. Without Redis it is read again."""
    with suppress(RedisError):
        return bool(redis().exists(f"approvals:not-ours:{sp_no}"))
    return False


def _remember_read(sp_no: str) -> None:
    with suppress(RedisError):
        redis().set(f"approvals:not-ours:{sp_no}", "1", ex=PARKED_FOR)
