"""How a worker runs the rows of a queue: claim after claim, under leases, each row to its end.

What a row is and how it moves stands in ``config.durable``; here is the loop around it, once for handlers that talk to
the network and once for those that only touch the database.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog
from django.db import close_old_connections, connections, transaction
from django.utils import timezone

from config import durable
from config.durable import OPEN, DurableRow, LeaseLost, NotYet, PermanentFailure, Status, TemporaryFailure, put_back
from config.wakeup import wake, wake_later

logger = structlog.get_logger(__name__)

LONGEST_DRAIN = 10.0
"""Seconds after which a drain hands over: outbound calls that all time out must not keep the inbox from its worker."""
ROWS_PER_COMMIT = 25
"""Database-only rows that share one commit: enough to save most of the fsyncs, few enough not to hold up SQLite's one
writer."""


def drain(
    model: type[DurableRow],
    handler: Callable[[Any], None],
    *,
    batch: int = 4,
    wait: Callable[[Sequence[Any]], Sequence[NotYet | None]] | None = None,
) -> int:
    """Run due rows of a queue whose handlers talk to the network; returns how many were attempted.

    ``handler(row)`` does its I/O outside any transaction, then opens one atomic block that holds the effect and
    ``row.finish()``. A handler without an effect of its own may leave finishing to this function. ``wait``, if given,
    first looks at all rows of a claim and says NotYet of some, which are put back together.
    """
    attempted = 0
    for rows in _batches(model, batch):
        answers = wait(rows) if wait else [None] * len(rows)
        put_back([(row, answer) for row, answer in zip(rows, answers, strict=True) if answer])
        ready = [row for row, answer in zip(rows, answers, strict=True) if not answer]
        for row in ready:
            _attempt(row, handler)
        attempted += len(ready)
    return attempted


def _attempt(row: DurableRow, handler: Callable[[Any], None]) -> None:
    try:
        handler(row)
        if row.status == Status.RUNNING:
            row.finish()
    except Exception as error:  # noqa: BLE001 - whatever went wrong becomes the row's state, and the loop goes on
        _log_failure(row, error)
        row.fail(error)


def drain_in_transaction(model: type[DurableRow], handler: Callable[[Any], None], *, batch: int = 100) -> int:
    """Run due rows of a queue whose handlers only touch the database; returns how many were attempted.

    Rows share a commit, yet a failing row undoes itself alone, and effect and ``succeeded`` are one transaction.
    ``handler(row)`` must not talk to the network: after a failure in its commit it is called again.
    """
    attempted = 0
    for rows in _batches(model, batch):
        for start in range(0, len(rows), ROWS_PER_COMMIT):
            _attempt_together(model, rows[start : start + ROWS_PER_COMMIT], handler)
        attempted += len(rows)
    return attempted


def _batches(model: type[DurableRow], batch: int) -> Iterator[list[Any]]:
    """Claim after claim, each under a lease that is kept while its rows are worked on, until nothing is left to claim
    or the time is up.

    One wake-up starts one worker. A full first claim tells that there is work for another, which then does the same; so
    a backlog is drained by all of them, and a trickle by one.
    """
    first, started = True, time.monotonic()
    while rows := model._default_manager.claim_due(batch, now=(looked_at := timezone.now())):
        if first and len(rows) == batch:
            wake(model.drain_task)
        first = False
        with keep_lease(rows):
            yield rows
        if time.monotonic() - started > LONGEST_DRAIN:
            wake(model.drain_task)
            return
    _wake_for_next(model, looked_at)


def _attempt_together(model: type[DurableRow], rows: Sequence[DurableRow], handler: Callable[[Any], None]) -> None:
    """Mostly all succeed, and then a savepoint for each would be a quarter of the statements. So they come into play
    only when a row has failed: everything is undone and repeated with them."""
    before = [[getattr(row, name) for name in model.kept_fields] for row in rows]
    try:
        with transaction.atomic():
            for row in rows:
                handler(row)
            _finish_together(model, rows)
        return
    except LeaseLost:
        logger.warning("lease_lost", queue=model._meta.label, rows=len(rows))
        return
    except Exception:  # noqa: BLE001 - whichever row it was fails again below
        for row, values in zip(rows, before, strict=True):
            for name, value in zip(model.kept_fields, values, strict=True):
                setattr(row, name, value)
    _attempt_apart(model, rows, handler)


def _attempt_apart(model: type[DurableRow], rows: Sequence[DurableRow], handler: Callable[[Any], None]) -> None:
    try:
        with transaction.atomic():
            done = [row for row in rows if _attempt_in_savepoint(row, handler)]
            _finish_together(model, done)
    except LeaseLost:
        logger.warning("lease_lost", queue=model._meta.label, rows=len(rows))


def _attempt_in_savepoint(row: DurableRow, handler: Callable[[Any], None]) -> bool:
    try:
        with transaction.atomic():
            handler(row)
    except Exception as error:  # noqa: BLE001 - as in _attempt
        _log_failure(row, error)
        row.fail(error)
        return False
    return True


def _finish_together(model: type[DurableRow], rows: Sequence[DurableRow]) -> None:
    """One UPDATE for all rows that end alike (the same values in ``kept_fields``)."""
    alike: dict[tuple[Any, ...], list[DurableRow]] = defaultdict(list)
    for row in rows:
        alike[tuple(getattr(row, name) for name in model.kept_fields)].append(row)
    now = timezone.now()
    for values, group in alike.items():
        held = model._default_manager.filter(
            pk__in=[row.pk for row in group], status=Status.RUNNING, claim=group[0].claim
        )
        changes = dict(zip(model.kept_fields, values, strict=True))
        if held.update(status=Status.SUCCEEDED, last_error="", finished_at=now, updated_at=now, **changes) != len(
            group
        ):
            raise LeaseLost(model._meta.label)
        durable.tell_closed(group, Status.SUCCEEDED)


def _log_failure(row: DurableRow, error: Exception) -> None:
    if isinstance(error, NotYet):
        return
    expected = isinstance(error, PermanentFailure | TemporaryFailure | LeaseLost)
    logger.log(
        30 if expected else 40,
        "durable_row_failed",
        queue=row._meta.label,
        key=row.key,
        attempts=row.attempts,
        error=str(error),
        exc_info=None if expected else error,
    )


@contextmanager
def keep_lease(rows: Sequence[DurableRow]) -> Iterator[None]:
    """While the block runs, renew the lease of ``rows`` from a thread of its own, so that long work is not taken over.

    A short block never starts to write: the first renewal is a third of a lease away.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_renew_until, args=(stop, rows), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _renew_until(stop: threading.Event, rows: Sequence[DurableRow]) -> None:
    model, claim, keys = type(rows[0]), rows[0].claim, [row.pk for row in rows]
    try:
        while not stop.wait(durable.LEASE.total_seconds() / 3):
            try:
                model._default_manager.filter(pk__in=keys, status=Status.RUNNING, claim=claim).update(
                    next_attempt_at=timezone.now() + durable.LEASE
                )
            except Exception as error:  # noqa: BLE001 - the next renewal may succeed; the fencing token guards the rest
                logger.warning("lease_renewal_failed", queue=model._meta.label, error=str(error))
                close_old_connections()
    finally:
        connections.close_all()  # this thread's own connections


def _wake_for_next(model: type[DurableRow], looked_at: datetime) -> None:
    """The sweep comes every 30 s; a row that comes due sooner gets a wake-up of its own.

    What was due at the last look and not claimable waits for a busy row of its group, whose own time counts.
    """
    later = model._default_manager.filter(status__in=OPEN, next_attempt_at__gt=looked_at)
    soonest = later.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    if soonest is None:
        return
    seconds = (soonest - timezone.now()).total_seconds()
    if seconds < durable.SWEEP_EVERY:
        wake_later(model.drain_task, max(0.0, seconds))
