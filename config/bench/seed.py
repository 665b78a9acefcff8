"""Rows to measure on, made in bulk and past the engine: benches need states, not histories."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from approvals import quotes
from approvals.models import (
    ApprovalInstance,
    ApprovalStep,
    ApprovalTemplate,
    Flow,
    InstanceStatus,
    Quote,
    QuoteItem,
    QuoteStatus,
    Relation,
    StepStatus,
)
from config.bench.events import APPLICANT, APPROVER, TEMPLATE
from config.durable import Status
from wecom.configs import default_config, forget_credentials
from wecom.models import CallbackEvent, Member, WeComConfig

CHUNK = 2000
_numbers = itertools.count(1)


@cache
def app() -> WeComConfig:
    """The WeCom app that the processes are set up with, from WECOM_*."""
    return WeComConfig.objects.get()


@cache
def template() -> ApprovalTemplate:
    return ApprovalTemplate.objects.create(config=app(), template_id=TEMPLATE)


@dataclass(frozen=True, slots=True)
class Open:
    """One approval that is pending here and at WeCom."""

    quote_id: int
    instance_id: int
    sp_no: str


def clear() -> None:
    """Empty tables, and the WeCom app that the processes are set up with."""
    call_command("flush", interactive=False, verbosity=0)
    forget_credentials()
    default_config()
    app.cache_clear()
    template.cache_clear()
    Member.objects.bulk_create(
        [Member(config=app(), userid=userid, name=userid.title()) for userid in (APPLICANT, APPROVER)]
    )


def sp_numbers(count: int) -> list[str]:
    """Approval numbers in WeCom's form (a day and a counter), none of them twice."""
    return [f"20260105{next(_numbers):08d}" for _ in range(count)]


def open_approvals(sp_nos: Sequence[str], *, third_nos: Sequence[str] = (), spread_days: int = 0) -> list[Open]:
    """A quote with an item, its pending approval and one approver for each number; submissions spread over days."""
    owner, _created = User.objects.get_or_create(username="bench")
    third_nos = third_nos or [f"CIS-{sp_no[:8]}-{sp_no[8:]}" for sp_no in sp_nos]
    now = timezone.now()
    made = _quotes(third_nos, owner)
    QuoteItem.objects.bulk_create(
        [QuoteItem(quote=quote, name="Pump X1", quantity=3, unit_price=Decimal("1200.50")) for quote in made],
        batch_size=CHUNK,
    )
    step = timedelta(days=spread_days) / max(len(made), 1)
    instances = ApprovalInstance.objects.bulk_create(
        [
            _pending(quote, owner, sp_no, now - step * place)
            for place, (quote, sp_no) in enumerate(zip(made, sp_nos, strict=True))
        ],
        batch_size=CHUNK,
    )
    ApprovalStep.objects.bulk_create(
        [
            ApprovalStep(instance=instance, node=0, position=0, userid=APPROVER, name=APPROVER.title())
            for instance in instances
        ],
        batch_size=CHUNK,
    )
    return [Open(instance.quote_id, instance.pk, instance.sp_no) for instance in instances]


def _quotes(numbers: Iterable[str], owner: User) -> list[Quote]:
    rows = [
        Quote(
            quote_number=number,
            title="三号车间水泵",
            customer_name="华东机电",
            total=Decimal("3601.50"),
            status=QuoteStatus.IN_APPROVAL,
            approval_status=InstanceStatus.PENDING,
            owner=owner,
        )
        for number in numbers
    ]
    return Quote.objects.bulk_create(rows, batch_size=CHUNK)


def _pending(quote: Quote, owner: User, sp_no: str, submitted_at: datetime) -> ApprovalInstance:
    content = {"quote_number": quote.quote_number, "revision": 1, "items": [], "total": str(quote.total)}
    return ApprovalInstance(
        quote=quote,
        revision=quote.revision,
        third_no=quote.quote_number,
        sp_no=sp_no,
        flow=Flow.WECOM_OA,
        config=app(),
        corp_id=app().corp_id,
        template=template(),
        chain=[{"userids": [APPROVER], "relation": "all"}],
        applicant=owner,
        applicant_userid=APPLICANT,
        snapshot=content,
        seal=quotes.seal(content),
        status=InstanceStatus.PENDING,
        remote_status="pending",
        remote_status_code=1,
        submitted_at=submitted_at,
    )


def waiting_here(
    groups: Sequence[Sequence[str]], relation: Relation, *, applicants: Sequence[str] = (APPLICANT,), agreed: int = 0
) -> list[ApprovalInstance]:
    """A pending approval that is decided here for each of ``groups`` (userids), the first ``agreed`` of whom have done
    so already. ``applicants`` take turns. No cards are sent."""
    owner, _created = User.objects.get_or_create(username="bench")
    made = _quotes([f"CIS-HERE-{next(_numbers):08d}" for _ in groups], owner)
    instances = ApprovalInstance.objects.bulk_create(
        [
            _decided_here(quote, owner, applicant, {"userids": list(group), "relation": relation})
            for quote, group, applicant in zip(made, groups, itertools.cycle(applicants), strict=False)
        ],
        batch_size=CHUNK,
    )
    ApprovalStep.objects.bulk_create(
        [
            ApprovalStep(
                instance=instance,
                node=0,
                position=position,
                relation=relation,
                userid=userid,
                name=userid.title(),
                status=StepStatus.APPROVED if position < agreed else StepStatus.PENDING,
            )
            for instance, group in zip(instances, groups, strict=True)
            for position, userid in enumerate(group)
        ],
        batch_size=CHUNK,
    )
    return instances


def _decided_here(quote: Quote, owner: User, applicant: str, node: dict[str, Any]) -> ApprovalInstance:
    content = {
        "quote_number": quote.quote_number,
        "revision": 1,
        "title": quote.title,
        "customer_name": quote.customer_name,
        "currency": "CNY",
        "items": [{"name": "Pump X1", "quantity": "3", "unit_price": "1200.50"}],
        "total": str(quote.total),
    }
    return ApprovalInstance(
        quote=quote,
        revision=quote.revision,
        third_no=quote.quote_number,
        flow=Flow.INTERNAL,
        config=app(),
        corp_id=app().corp_id,
        chain=[node],
        applicant=owner,
        applicant_userid=applicant,
        snapshot=content,
        seal=quotes.seal(content),
        status=InstanceStatus.PENDING,
    )


@dataclass(frozen=True, slots=True)
class Happened:
    """One event to be stored: of which approval, when (Unix seconds), and its XML."""

    sp_no: str
    at: int
    xml: str


def stored_events(happened: Iterable[Happened], *, due: bool = True) -> list[int]:
    """Put events into the inbox; their primary keys, in order. ``due=False``: the worker leaves them alone."""
    keys: list[int] = []
    for chunk in _chunks(happened):
        rows = CallbackEvent.objects.bulk_create([_event(one, due) for one in chunk])
        keys += [row.pk for row in rows]
    return keys


def _event(one: Happened, due: bool) -> CallbackEvent:
    return CallbackEvent(
        key=f"sys_approval_change:{hashlib.sha256(one.xml.encode()).hexdigest()}",
        config=app(),
        event="sys_approval_change",
        subject=one.sp_no,
        from_user="sys",
        event_time=datetime.fromtimestamp(one.at, UTC),
        payload=one.xml,
        credential="primary",
        status=Status.PENDING if due else Status.RUNNING,
        next_attempt_at=timezone.now() + (timedelta() if due else timedelta(days=1)),
    )


def _chunks(happened: Iterable[Happened]) -> Iterator[list[Happened]]:
    source = iter(happened)
    while chunk := list(itertools.islice(source, CHUNK)):
        yield chunk
