"""The inbox: verified callbacks become rows, rows become announcements.

Storing happens on the request's thread and does nothing else. Handling happens in a worker: the event becomes a
``RemoteApproval`` and is announced with ``signals.approval_changed``, or a ``CardClick`` with ``signals.card_clicked``,
inside the row's own transaction, so the effect and "done" are one commit. Whoever listens must be idempotent: delivery
is at least once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.dispatch import Signal, receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from config import draining, durable
from config.durable import PermanentFailure, Status, TemporaryFailure
from config.wakeup import wake
from wecom import metrics, xml
from wecom.callback import OpenedCallback
from wecom.card_events import CARD_EVENTS
from wecom.card_events import from_event as click_of
from wecom.contacts import events as contact_events
from wecom.crypto import Unparsable
from wecom.directory import remembering_names
from wecom.models import CallbackEvent
from wecom.quick_insert import insert
from wecom.reading import BadDocument
from wecom.signals import approval_changed, card_clicked, event_given_up
from wecom.snapshots import from_engine_event, from_oa_event

READERS = {"sys_approval_change": from_oa_event, "open_approval_change": from_engine_event}
"""Events about approvals."""
UNDERSTOOD = (*READERS, *CARD_EVENTS, *contact_events.HANDLERS)
"""Events that somebody here understands. The rest is kept, and nothing more."""

PARKED_FOR = timedelta(days=7)
"""How long an event waits for its approval to become known before it is given up."""
FIRST_PARKING = timedelta(seconds=2)
"""Short, because an event may be parked in the very moment in which its approval becomes known, so that nobody releases
it; a person who has just pressed a button is waiting."""
LONGEST_PARKING = timedelta(hours=6)
"""A parked event is tried again after as long as it has been parked, within these bounds: soon, then ever rarer."""

IGNORED = "ignored"
PARKED = "parked"
GIVEN_UP = "given_up"


class Park(Exception):
    """Raised by a listener that cannot place the approval yet: the event of a submission can overtake its answer."""


class Parked(TemporaryFailure):
    """Tells the queue to come back later."""


def store(opened: OpenedCallback, *, config_id: int, received_at: datetime | None = None) -> bool:
    """Put a verified event into the inbox; False if it is there already. Raises DatabaseAway."""
    now = received_at or timezone.now()
    new = insert(
        CallbackEvent,
        key=opened.event_id,
        config_id=config_id,
        event=opened.event,
        change_type=opened.change_type,
        subject=opened.subject,
        from_user=opened.from_user,
        event_time=opened.created,
        payload=opened.payload,
        credential=opened.credential,
        next_attempt_at=now,
        created_at=now,
        updated_at=now,
    )
    if received_at is None:  # else it was counted when it was spooled
        metrics.received.add("stored" if new else "duplicate")
    if new and opened.created:
        metrics.stored_after.observe((timezone.now() - opened.created).total_seconds())
    return new


def wake_worker() -> None:
    """Ask for the inbox to be processed soon. Returns at once, whatever the broker does."""
    wake(CallbackEvent.drain_task)


def process_due() -> int:
    """Handle every event that is due; returns how many were attempted. For the worker."""
    with remembering_names():
        return draining.drain_in_transaction(CallbackEvent, handle)


def handle(row: CallbackEvent) -> None:
    """Announce or apply one event and note the outcome on ``row``. Raises Parked, PermanentFailure, what a listener
    raises."""
    if row.event not in UNDERSTOOD:
        row.outcome = IGNORED
        return
    try:
        doc = xml.parse(row.payload.encode())
        if row.event in contact_events.HANDLERS:
            row.outcome = contact_events.handle(row, doc)
            return
        signal, what = _announcement(row, doc)
    except (BadDocument, Unparsable) as error:
        raise PermanentFailure(_("The event cannot be read: %(why)s") % {"why": _(error.reason)}) from error
    try:
        answers = signal.send(sender=CallbackEvent, event=row, **what)
    except Park as reason:
        _park(row, str(reason))
    else:
        row.outcome = next((answer for _listener, answer in answers if answer), IGNORED)
        row.parked_at = None


def _announcement(row: CallbackEvent, doc: Mapping[str, Any]) -> tuple[Signal, dict[str, Any]]:
    """The signal for what happened, and what it carries beside the row. Raises BadDocument."""
    happened = row.event_time or row.created_at
    if row.event in CARD_EVENTS:
        return card_clicked, {"click": click_of(doc, config_id=row.config_id, at=happened)}
    return approval_changed, {"snapshot": READERS[row.event](doc, happened)}


def _park(row: CallbackEvent, reason: str) -> None:
    now = timezone.now()
    row.parked_at = row.parked_at or now
    waited = now - row.parked_at
    if waited >= PARKED_FOR:
        row.outcome = GIVEN_UP
        raise PermanentFailure(_("Given up after %(days)d days: %(why)s") % {"days": PARKED_FOR.days, "why": reason})
    row.outcome = PARKED
    again = min(max(waited, FIRST_PARKING), LONGEST_PARKING)
    raise Parked(reason, retry_after=again.total_seconds())


@receiver(durable.row_died, sender=CallbackEvent)
def announce_given_up(row: CallbackEvent, **_kwargs: Any) -> None:
    """Only after commit: the savepoint of the failed attempt takes its own on_commit hooks with it."""
    if row.outcome == GIVEN_UP:
        event_given_up.send(sender=CallbackEvent, event=row)


@receiver(durable.rows_closed, sender=CallbackEvent)
def count_handled(rows: Sequence[CallbackEvent], status: Status, **_kwargs: Any) -> None:
    now = timezone.now()
    for row in rows:
        if status == Status.SUCCEEDED:
            metrics.handled.add(row.outcome)
            metrics.handled_after.observe((now - row.created_at).total_seconds())
        else:
            metrics.handled.add(row.outcome if row.outcome in (PARKED, GIVEN_UP) else status.value)


def release_parked(subjects: Iterable[str]) -> int:
    """Approvals with these numbers are known now: make their parked events due. Returns how many there were."""
    now = timezone.now()
    parked = CallbackEvent.objects.filter(
        subject__in=[subject for subject in subjects if subject],
        parked_at__isnull=False,
        status=Status.FAILED,
    )
    count: int = parked.update(next_attempt_at=now, updated_at=now)
    if count:
        durable.wake_on_commit(CallbackEvent)
    return count


def replay(events: QuerySet[CallbackEvent]) -> int:
    """Process stored events again, whatever became of them ("process again" in admin). Returns how many.

    Left alone are events that a worker is busy with, and those whose payload was deleted for its age (see
    ``wecom.retention``): there is nothing left to process.
    """
    now = timezone.now()
    count = (
        events.exclude(status=Status.RUNNING)
        .exclude(payload="")
        .update(
            status=Status.PENDING,
            attempts=0,
            crashes=0,
            next_attempt_at=now,
            last_error="",
            finished_at=None,
            outcome="",
            parked_at=None,
            updated_at=now,
        )
    )
    if count:
        durable.wake_on_commit(CallbackEvent)
    return count
