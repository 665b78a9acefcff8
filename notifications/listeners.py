"""Troubles of the queues become incidents, and end when the rows that were in trouble have gone through."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_noop

from config.durable import DurableRow, Status, row_died
from notifications import dead_rows
from notifications.alert_rules import threshold_of
from notifications.dead_rows import Cause
from notifications.incidents import count_incident, raise_incident, resolve_incident
from notifications.models import AlertRuleKind, Incident
from notifications.phrases import Phrase
from wecom.inbox import GIVEN_UP
from wecom.models import CallbackEvent
from wecom.signals import event_given_up

GIVEN_UP_EVENT = "unknown-approval"
GIVEN_UP_TITLE = gettext_noop("WeCom reported an approval that is not known here: %(number)s")
GIVEN_UP_REMEDY = gettext_noop(
    "If the form was filled in by hand in WeCom, nothing is lost: resolve this message. Otherwise look the number up "
    "in WeCom and compare it with the quotes, then press “Retry” at its events."
)


@receiver(row_died, dispatch_uid="notifications.tell_row_died")
def tell_row_died(row: DurableRow, **_kwargs: Any) -> None:
    """A row that nobody will repeat needs a person: one incident for all that die of the same cause.

    In the row's own transaction only when the incident is opened. Counting an open one waits for the commit: rows die
    many at a time, and transactions that all hold the same incident would wait for each other. Where operators want to
    hear of many dead rows only, ``notifications.alert_watch`` counts them every minute.
    """
    if isinstance(row, CallbackEvent) and row.outcome == GIVEN_UP:
        return  # told below, once for all events of that approval
    cause = Cause.of(type(row), row.last_error)
    if Incident.objects.filter(key=cause.key, resolved_at=None).exists():
        transaction.on_commit(partial(count_incident, cause.key), robust=True)
        return
    threshold = threshold_of(AlertRuleKind.DEAD_ROWS)
    if threshold is not None and threshold <= 1:
        finding = cause.finding(1, since=timezone.now())
        raise_incident(finding.key, title=finding.title, detail=finding.detail, remedy=finding.remedy)


@receiver(event_given_up, dispatch_uid="notifications.tell_event_given_up")
def tell_event_given_up(event: CallbackEvent, **_kwargs: Any) -> None:
    """WeCom spoke of an approval that nobody here has claimed for days."""
    raise_incident(
        f"{GIVEN_UP_EVENT}:{event.subject}",
        title=Phrase(GIVEN_UP_TITLE, number=event.subject),
        detail=event.last_error,
        remedy=Phrase(GIVEN_UP_REMEDY),
    )


def resolve_recovered() -> int:
    """Resolve the incidents of which no row has been dead (or there) for a while; returns how many.

    A row's success raises no signal, because successes are written in bulk; so this looks, and only while something
    is open.
    """
    waiting = Incident.objects.filter(resolved_at=None)
    over = [row.key for row in waiting.filter(key__startswith=dead_rows.PREFIX) if dead_rows.is_over(row)]
    subjects = waiting.filter(key__startswith=f"{GIVEN_UP_EVENT}:").values_list("key", flat=True)
    over += [key for key in subjects if _events_are_over(key.partition(":")[2])]
    return sum(resolve_incident(key) for key in over)


def _events_are_over(subject: str) -> bool:
    return not CallbackEvent.objects.filter(subject=subject).exclude(status=Status.SUCCEEDED).exists()


def told_as_given_up(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Dead events that have an incident of their own kind are left out of the dead rows."""
    return rows.exclude(outcome=GIVEN_UP)


dead_rows.leave_out(CallbackEvent, told_as_given_up)
