"""Troubles of the queues become incidents, and end when the row that was in trouble has gone through."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.dispatch import receiver
from django.utils.translation import gettext as _

from config.durable import DurableRow, Status, row_died
from notifications.incidents import raise_incident, resolve_incident
from notifications.models import Incident
from wecom.inbox import GIVEN_UP
from wecom.models import CallbackEvent
from wecom.signals import event_given_up

DEAD_ROW = "dead-row"
GIVEN_UP_EVENT = "unknown-approval"


@receiver(row_died, dispatch_uid="notifications.tell_row_died")
def tell_row_died(row: DurableRow, **_kwargs: Any) -> None:
    """A row that nobody will repeat needs a person."""
    if isinstance(row, CallbackEvent) and row.outcome == GIVEN_UP:
        return  # told below, once for all events of that approval
    raise_incident(
        dead_row_key(row),
        title=_("%(what)s gave up: %(row)s") % {"what": str(row._meta.verbose_name).capitalize(), "row": row},
        detail=row.last_error,
        remedy=_("Remove the cause, then press “Retry” at the row. This message ends when the row has succeeded."),
    )


def dead_row_key(row: DurableRow) -> str:
    """The key of the incident about a dead row."""
    return f"{DEAD_ROW}:{row._meta.label_lower}:{row.pk}"


@receiver(event_given_up, dispatch_uid="notifications.tell_event_given_up")
def tell_event_given_up(event: CallbackEvent, **_kwargs: Any) -> None:
    """WeCom spoke of an approval that nobody here has claimed for days."""
    raise_incident(
        f"{GIVEN_UP_EVENT}:{event.subject}",
        title=_("WeCom reported an approval that is not known here: %(number)s") % {"number": event.subject},
        detail=event.last_error,
        remedy=_(
            "If the form was filled in by hand in WeCom, nothing is lost: resolve this message. Otherwise look the "
            "number up in WeCom and compare it with the quotes, then press “Retry” at its events."
        ),
    )


def resolve_recovered() -> int:
    """Resolve the incidents whose rows have succeeded since (or are gone); returns how many.

    A row's success raises no signal, because successes are written in bulk; so this looks, and only while something
    is open.
    """
    waiting = Incident.objects.filter(resolved_at=None)
    keys = list(waiting.filter(key__startswith=f"{DEAD_ROW}:").values_list("key", flat=True))
    over = [key for key in keys if _row_is_over(key)]
    subjects = waiting.filter(key__startswith=f"{GIVEN_UP_EVENT}:").values_list("key", flat=True)
    over += [key for key in subjects if _events_are_over(key.partition(":")[2])]
    return sum(resolve_incident(key) for key in over)


def _row_is_over(key: str) -> bool:
    _prefix, label, pk = key.split(":")
    rows = apps.get_model(label)._default_manager
    status = rows.filter(pk=pk).values_list("status", flat=True).first()
    return status in (None, Status.SUCCEEDED)


def _events_are_over(subject: str) -> bool:
    return not CallbackEvent.objects.filter(subject=subject).exclude(status=Status.SUCCEEDED).exists()
