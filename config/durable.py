"""The one row queue of the house.

Every effect that crosses the border is a row first: written in the transaction of the business change that
causes it, under a unique key. A worker is woken on commit, claims due rows and runs them; a sweeper wakes a worker
for whatever was left behind. This module owns claiming, leases, back-off and death; what a row *does* belongs to
its queue (``wecom.inbox``, ``approvals.operations``, …).

How a row moves::

    pending ──claim──► running ──finish──► succeeded
                          │ ├──temporary failure──► failed ──claim (later)──► running
                          │ ├──not yet its turn──► pending (later)
                          │ └──permanent failure──► dead ──retry (a person)──► pending
                          └── its worker died: due again when the lease ends

``next_attempt_at`` has one meaning in all three open states: *nobody may take this row before*. For a running row
that is the end of its lease, so one index and one comparison find all work.
"""

from __future__ import annotations

import random
import uuid
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, ClassVar, Self

import structlog
from django.apps import apps
from django.db import (
    InterfaceError,
    OperationalError,
    connection,
    models,
    transaction,
)
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.wakeup import wake

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=25)
"""How long a claim holds without a sign of life. The sweep comes every 30 s, so a dead worker's row runs again within
60 s."""
SWEEP_EVERY = 30
"""Seconds between two sweeps (DESIGN: schedules)."""
FIRST_RETRY = 4.0
"""Seconds before the first repetition (before jitter)."""
RETRY_FACTOR = 3
LONGEST_RETRY = 300.0
"""Seconds; an outage of days costs one attempt every five minutes per row."""
MOST_CRASHES = 8
"""Unexpected exceptions of one row after which it stops being repeated. Temporary failures are no crashes, however
many, and neither is a database that went away."""
row_died = Signal()
"""Sent with ``row`` in the transaction in which a row goes to ``dead``."""
rows_closed = Signal()
"""Sent by a queue after the commit that ended an attempt of each of its ``rows`` with ``status`` (succeeded, failed or
dead): for who counts. A row that was only put back has had no attempt."""


class PermanentFailure(Exception):
    """Repeating cannot help. ``str(e)`` is a sentence that a person can act on."""


class TemporaryFailure(Exception):
    """Worth repeating. ``retry_after``: seconds before which a repetition is pointless (``None``: back off)."""

    def __init__(self, message: object = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotYet(TemporaryFailure):
    """Nothing was tried: it is not this row's turn for ``retry_after`` seconds (a rate limit, quiet hours, a pause).

    The row waits exactly that long, and the claim counts as no attempt.
    """

    retry_after: float

    def __init__(self, message: object = "", *, retry_after: float) -> None:
        super().__init__(message, retry_after=retry_after)


class LeaseLost(Exception):
    """Another worker took the row over; whatever this worker was about to write must roll back."""


class Status(models.TextChoices):
    PENDING = "pending", _("Pending")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed, will be retried")
    DEAD = "dead", _("Dead")


OPEN = (Status.PENDING, Status.RUNNING, Status.FAILED)


def queues() -> list[type[DurableRow]]:
    """Every queue there is."""
    return [model for model in apps.get_models() if issubclass(model, DurableRow)]


class DurableQuerySet(models.QuerySet["DurableRow"]):
    def due(self, now: datetime | None = None) -> Self:
        """Rows that may be taken now, the crashed ones included."""
        return self.waiting().filter(next_attempt_at__lte=now or timezone.now())

    def waiting(self) -> Self:
        """What has not ended: rows that wait for their turn, are under way, or failed and will be repeated."""
        return self.filter(status__in=OPEN)

    def dead(self) -> Self:
        """What nobody will repeat."""
        return self.filter(status=Status.DEAD)

    def claim_due(self, limit: int, *, now: datetime | None = None) -> list[Any]:
        """Take at most ``limit`` due rows for this worker, oldest first, and return them as ``running``.

        No row is given to two workers: PostgreSQL locks the rows (and skips those locked by others), SQLite has one
        writer. Where the model names an ``order_group``, rows of a group that another worker is busy with are left
        alone, and claims of the queue follow one another, so that no later row of a group overtakes an earlier one that
        is due as well.
        """
        now = now or timezone.now()
        if not self.due(now).exists():  # an idle sweep must not take SQLite's write lock
            return []
        with transaction.atomic(using=self.db):
            due = self._claimable(now)
            rows = list(due.select_for_update(skip_locked=True).order_by("next_attempt_at", "id")[:limit])
            claim = uuid.uuid4()
            lease_end = now + LEASE
            self.filter(pk__in=[row.pk for row in rows]).update(
                status=Status.RUNNING,
                claim=claim,
                next_attempt_at=lease_end,
                attempts=models.F("attempts") + 1,
                updated_at=now,
            )
        for row in rows:
            row.status, row.claim, row.next_attempt_at = Status.RUNNING, claim, lease_end
            row.attempts += 1
        if self.model.order_group:
            rows.sort(key=attrgetter("pk"))
        return rows

    def _claimable(self, now: datetime) -> Self:
        group = self.model.order_group
        if group is None:
            return self.due(now)
        if connection.vendor == "postgresql":
            # Without it two claims could each see a part of one group: neither has committed "running" yet.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [zlib.crc32(self.model._meta.db_table.encode())])
        busy = self.model._default_manager.filter(status=Status.RUNNING, next_attempt_at__gt=now)
        return self.due(now).exclude(**{f"{group}__in": busy.exclude(**{group: self.model.no_group}).values(group)})

    def retry(self) -> int:
        """Make dead or waiting rows due at once (a person pressed *retry*). Returns how many."""
        now = timezone.now()
        count = self.filter(status__in=(Status.DEAD, Status.FAILED, Status.PENDING)).update(
            status=Status.PENDING,
            next_attempt_at=now,
            attempts=0,
            crashes=0,
            last_error="",
            finished_at=None,
            updated_at=now,
        )
        if count:
            wake_on_commit(self.model)
        return count


class DurableRow(models.Model):
    """Abstract base of every queue. See the module's docstring for how a row moves."""

    drain_task: ClassVar[str]
    """Name of the Celery task that drains this queue."""
    order_group: ClassVar[str | None] = None
    """Column whose equal values are handled by one worker at a time, in the order they came among those that are due. A
    row that failed does not hold up the later ones of its group."""
    no_group: ClassVar[Any] = ""
    """Value of ``order_group`` that means "belongs to nothing": such rows wait for nobody."""
    kept_fields: ClassVar[tuple[str, ...]] = ()
    """Columns that a handler may set on the row; they are written together with the row's new status."""

    key = models.CharField(_("key"), max_length=190, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    crashes = models.PositiveSmallIntegerField(_("crashes"), default=0, editable=False)
    next_attempt_at = models.DateTimeField(_("not before"), default=timezone.now)
    claim = models.UUIDField(_("claim"), null=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager[Any]] = DurableQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        abstract = True
        indexes = [
            # claim_due(): open rows in the order of their time; closed rows, the bulk of the table, stay out of it.
            # With the status, so that counting them by it reads nothing else (config.metrics_queues).
            models.Index(
                fields=["next_attempt_at", "id", "status"],
                condition=models.Q(status__in=("pending", "running", "failed")),
                name="%(app_label)s_%(class)s_due",
            ),
            # the few dead among millions: counted at every scrape, looked through every minute by the alerts
            models.Index(fields=["finished_at"], condition=models.Q(status="dead"), name="%(class)s_dead"),
        ]

    def finish(self) -> None:
        """Mark the row done. Call it inside the transaction of the effect.

        Raises LeaseLost, so that the effect rolls back, when another worker has taken the row over meanwhile.
        """
        if not self._close(Status.SUCCEEDED, last_error="", finished_at=timezone.now()):
            raise LeaseLost(f"{type(self).__name__} {self.key}")

    def fail(self, error: Exception) -> None:
        """Write down a failed attempt: repeat later, or ``dead``. A lost lease writes nothing."""
        if isinstance(error, LeaseLost):
            return
        sentence = (str(error) or type(error).__name__)[:2000]
        if isinstance(error, NotYet):
            turn = timezone.now() + timedelta(seconds=error.retry_after)
            self._close(Status.PENDING, last_error=sentence, attempts=self.attempts - 1, next_attempt_at=turn)
            return
        if not isinstance(error, PermanentFailure | TemporaryFailure | OperationalError | InterfaceError):
            self.crashes += 1
        if isinstance(error, PermanentFailure) or self.crashes >= MOST_CRASHES:
            self._die(sentence)
            return
        wait = max(retry_delay(self.attempts), (error.retry_after or 0) if isinstance(error, TemporaryFailure) else 0)
        later = timezone.now() + timedelta(seconds=wait)
        self._close(Status.FAILED, last_error=sentence, crashes=self.crashes, next_attempt_at=later)

    def _die(self, sentence: str) -> None:
        """Whoever listens writes in the same transaction: no dead row without its incident."""
        with transaction.atomic():
            if self._close(Status.DEAD, last_error=sentence, crashes=self.crashes, finished_at=timezone.now()):
                for listener, answer in row_died.send_robust(type(self), row=self):
                    if isinstance(answer, Exception):
                        logger.error("row_died_not_heard", listener=str(listener), exc_info=answer)

    def _close(self, status: Status, **changes: Any) -> bool:
        changes.update(
            {name: getattr(self, name) for name in self.kept_fields}, status=status, updated_at=timezone.now()
        )
        held = type(self)._default_manager.filter(pk=self.pk, status=Status.RUNNING, claim=self.claim)
        if not held.update(**changes):
            logger.warning("lease_lost", queue=self._meta.label, key=self.key)
            return False
        for name, value in changes.items():
            setattr(self, name, value)
        if status != Status.PENDING:
            tell_closed([self], status)
        return True


def tell_closed(rows: Sequence[DurableRow], status: Status) -> None:
    """Send ``rows_closed`` after the current commit."""
    model = type(rows[0])
    transaction.on_commit(lambda: rows_closed.send(model, rows=rows, status=status), robust=True)


def put_back(waiting: Sequence[tuple[DurableRow, NotYet]]) -> None:
    """``row.fail(not_yet)`` for many rows of one claim, in one statement."""
    if not waiting:
        return
    rows = [row for row, _not_yet in waiting]
    model, now = type(rows[0]), timezone.now()
    changes: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in model.kept_fields} | {
        "last_error": [str(not_yet)[:2000] for _row, not_yet in waiting],
        "next_attempt_at": [now + timedelta(seconds=not_yet.retry_after) for _row, not_yet in waiting],
    }
    held = model._default_manager.filter(pk__in=[row.pk for row in rows], status=Status.RUNNING, claim=rows[0].claim)
    held.update(
        status=Status.PENDING,
        attempts=models.F("attempts") - 1,
        updated_at=now,
        **{name: _by_row(model, name, rows, values) for name, values in changes.items()},
    )
    for row in rows:
        row.status = Status.PENDING


def _by_row(model: type[DurableRow], name: str, rows: Sequence[DurableRow], values: Sequence[Any]) -> Any:
    """The value of a column for each row; plain where it is the same for all."""
    if all(value == values[0] for value in values):
        return values[0]
    column: Any = model._meta.get_field(name)
    cases = [models.When(pk=row.pk, then=models.Value(value, column)) for row, value in zip(rows, values, strict=True)]
    return models.Case(*cases, output_field=column)


def retry_delay(attempts: int) -> float:
    """Seconds before attempt ``attempts + 1``: exponential, capped, with half of it jitter so that no herd forms."""
    full = min(LONGEST_RETRY, FIRST_RETRY * RETRY_FACTOR ** min(max(attempts, 1) - 1, 10))
    return full * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def wake_on_commit(model: type[DurableRow]) -> None:
    """After the current commit, wake a worker for ``model``. Costs no round trip and cannot fail."""
    transaction.on_commit(lambda: wake(model.drain_task), robust=True)


def sweep(model: type[DurableRow]) -> int:
    """Wake a worker if due rows were left behind; returns how many there are (counted up to 1,000)."""
    left = len(model._default_manager.due().values_list("pk", flat=True)[:1000])
    if left:
        wake(model.drain_task)
    return left
