"""Runs of the directory: one for each app and type, claimed by one worker, always closed by somebody.

::

    pending ──claim──► running ──► success     applied, and closed in the same transaction
       ▲                  │ ├────► partial     the same; of some members the customers could not be read
       │                  │ └────► failed      nothing was changed
       └── put back ──────┘        WeCom wants to be left alone for long, or a scheduled run is worth a repetition

A ``full`` run excludes all others of its app, and they exclude it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from config.runs import OPEN, ClaimLost, await_turn, claim, close, dead
from config.wakeup import wake
from wecom.directory_sync import brake
from wecom.directory_sync.brake import BrakeHeld
from wecom.directory_sync.diff import Difference
from wecom.directory_sync.fetch import PutBack, Reading
from wecom.directory_sync.parts import Part, parts_of
from wecom.directory_sync.progress import APPLYING_LEASE, LEASE, Progress, Tell
from wecom.errors import RetryableError, WeComError
from wecom.models import DirectoryRunStatus, DirectorySyncRun, DirectoryType, WeComConfig
from wecom.signals import directory_run_ended

logger = structlog.get_logger(__name__)

RUN_TASK = "wecom.run_directory_runs"
APPLYING = "apply"
"""The phase after all parts have been read."""
MOST_RETRIES = 3
"""Of a scheduled run, by itself."""
FIRST_RETRY = timedelta(minutes=5)
"""Before the first of them; then three times as long."""
RETRYABLE = (RetryableError, OperationalError, InterfaceError)


class AlreadyRunning(Exception):
    """The app has an open run that excludes the new one; ``run`` is that one."""

    def __init__(self, run: DirectorySyncRun) -> None:
        super().__init__(f"run {run.pk} is open")
        self.run = run


def open_run(
    config: WeComConfig, sync_type: str, *, force: bool = False, automatic: bool = False, user: Any = None
) -> DirectorySyncRun:
    """A pending run over ``config``; ``run()`` it, or wake ``RUN_TASK`` so that a worker does.

    ``force``: without the brake, and everything is written anew. ``automatic``: repeated by itself when it fails for
    a reason that may pass. Somebody who asks for what a waiting run reads gets that run, due now. Raises
    AlreadyRunning.
    """
    close_dead(config)
    with transaction.atomic():
        # one at a time looks and opens; callbacks, which refer to the app, go on
        WeComConfig.objects.select_for_update(no_key=True).get(pk=config.pk)
        opened = DirectorySyncRun.objects.filter(config=config, status__in=OPEN)
        busy = opened.filter(sync_type__in=_excluded_by(sync_type)).first()
        if busy is None:
            return DirectorySyncRun.objects.create(
                config=config, sync_type=sync_type, force=force, automatic=automatic, started_by=user
            )
        covered = busy.sync_type in (sync_type, DirectoryType.FULL)
        if automatic or not covered or not _hasten(busy, force=force, user=user):
            raise AlreadyRunning(busy)
        return busy


def _hasten(run: DirectorySyncRun, *, force: bool, user: Any) -> bool:
    """Make a waiting run due, in the name of whoever does not want to wait; False: it does not wait."""
    now = timezone.now()
    changes = {"not_before": now, "force": run.force or force, **({"started_by": user} if user else {})}
    waiting = DirectorySyncRun.objects.filter(pk=run.pk, status=DirectoryRunStatus.PENDING, not_before__gt=now)
    if not waiting.update(**changes):
        return False
    run.refresh_from_db()
    return True


def _excluded_by(sync_type: str) -> Sequence[str]:
    return DirectoryType.values if sync_type == DirectoryType.FULL else (sync_type, DirectoryType.FULL)


def run(run: DirectorySyncRun, *, tell: Tell | None = None) -> DirectorySyncRun:
    """Run it to its end; returns it closed, or pending when it was put back. ``tell`` is called as it gets further.

    If a worker has taken it meanwhile, its end is waited for. Troubles with WeCom end in the run, not in an exception;
    anything unexpected is raised once the run is closed.
    """
    while not _claim(run):
        await_turn(run, lambda: close_dead(run.config))
        if run.status not in OPEN or run.not_before > timezone.now():
            return run
    with translation.override(settings.LANGUAGE_CODE):  # what the row says is for everybody
        _run_claimed(run, tell)
    return run


def dry_run(config: WeComConfig, sync_type: str, *, tell: Tell | None = None) -> Difference:
    """What a run would create, update and mark as gone; nothing is written.

    Raises WeComError (after the usual patience) and PutBack. Whether the brake would hold: ``brake.check()``.
    """
    unsaved = DirectorySyncRun(config=config, sync_type=sync_type, started_at=timezone.now())
    return _look(unsaved, Progress(unsaved, tell))[1]


def run_due() -> int:
    """Run what waits for a worker; returns how many."""
    done = 0
    for waiting in _due().select_related("config").order_by("not_before", "pk"):
        if _claim(waiting):
            done += 1
            try:
                with translation.override(settings.LANGUAGE_CODE):
                    _run_claimed(waiting, None)
            except Exception:
                logger.exception("directory_run_crashed", run=waiting.pk)
    return done


def sweep() -> int:
    """Close the runs of dead workers; wake a worker if runs are due; returns how many are."""
    close_dead()
    due = _due().count()
    if due:
        wake(RUN_TASK)
    return due


def close_dead(config: WeComConfig | None = None) -> int:
    """Close the runs whose workers have given no sign of life for longer than their lease; returns how many."""
    runs = dead(DirectorySyncRun.objects.all())
    if config is not None:
        runs = runs.filter(config=config)
    with translation.override(settings.LANGUAGE_CODE):
        sentence = _("The worker of this run ended in the middle; nothing was changed.")
        return sum(
            _fail(run, sentence, again=True, only=Q(alive_until=run.alive_until))
            for run in runs.select_related("config")
        )


def _due() -> Any:
    """Runs of disabled apps stay where they are."""
    pending = DirectorySyncRun.objects.filter(status=DirectoryRunStatus.PENDING, config__enabled=True)
    return pending.filter(not_before__lte=timezone.now())


def _claim(run: DirectorySyncRun) -> bool:
    counters = {"calls_done": 0, "calls_expected": None, "fetched": 0, "phase": ""}  # of an attempt before
    return claim(run, LEASE, only=Q(not_before__lte=timezone.now()), **counters)


def _run_claimed(run: DirectorySyncRun, tell: Tell | None) -> None:
    progress = Progress(run, tell)
    try:
        parts, difference = _look(run, progress)
        if not run.force:
            brake.check(difference)
        progress.enter(APPLYING, lease=APPLYING_LEASE)
        _apply(run, parts, difference)
    except ClaimLost:
        logger.warning("directory_run_lost", run=run.pk)
        run.refresh_from_db()
    except PutBack as wanted:
        _put_back(run, wanted)
    except BrakeHeld as held:
        _fail(run, held.sentence, outcome="braked")
    except WeComError as error:
        _fail(run, f"{error.sentence} {error.remedy}", detail=str(error), again=isinstance(error, RETRYABLE))
    except BaseException as error:
        sentence = _("The run broke off because of an error in this system: %(error)s. The log tells more.")
        _fail(run, sentence % {"error": type(error).__name__}, again=isinstance(error, RETRYABLE))
        raise
    logger.info("directory_run_ended", run=run.pk, app=run.config.slug, type=run.sync_type, status=str(run.status))


def _look(run: DirectorySyncRun, progress: Progress) -> tuple[list[Part], Difference]:
    """Fetch and compare; nothing of the directory is written."""
    since = run.started_at or timezone.now()
    reading = Reading(run.config, progress, since=since, force=run.force)
    parts = [part(reading) for part in parts_of(run.sync_type)]
    for part in parts:
        progress.enter(str(part.kind))
        part.fetch()
    return parts, Difference(tuple(part.compare() for part in parts))


def _apply(run: DirectorySyncRun, parts: Sequence[Part], difference: Difference) -> None:
    """All or nothing, and the run is closed by the commit that makes it true."""
    status = DirectoryRunStatus.PARTIAL if difference.partial else DirectoryRunStatus.SUCCESS
    counts: dict[str, Any] = difference.counts
    with transaction.atomic():
        now = timezone.now()
        for part in parts:
            part.apply(now)
        detail = "\n".join(difference.reasons)
        if not close(run, status, message=_summary(counts), error_detail=detail, phase="", **counts):
            raise ClaimLost
        outcome = "partial" if difference.partial else "done"
        directory_run_ended.send(DirectorySyncRun, run=run, outcome=outcome)


def _summary(counts: dict[str, int]) -> str:
    sentence = _("%(created)d new, %(updated)d changed, %(unchanged)d unchanged, %(deleted)d gone.") % counts
    if counts["failed"]:
        sentence += " " + _("%(failed)d could not be used; the reasons stand below.") % counts
    return sentence


def _put_back(run: DirectorySyncRun, wanted: PutBack) -> None:
    later = timezone.now() + timedelta(seconds=wanted.seconds)
    close(run, DirectoryRunStatus.PENDING, not_before=later, message=str(wanted)[:500])


def _fail(
    run: DirectorySyncRun,
    sentence: str,
    *,
    detail: str = "",
    again: bool = False,
    outcome: str = "failed",
    only: Q | None = None,
) -> bool:
    """Close it as failed; a scheduled run that may be tried ``again`` waits for its next turn instead."""
    said = {"message": sentence.strip()[:500], "error_detail": detail, "phase": ""}
    if again and run.automatic and run.retries < MOST_RETRIES:
        later = timezone.now() + FIRST_RETRY * 3**run.retries
        return close(run, DirectoryRunStatus.PENDING, only=only, not_before=later, retries=run.retries + 1, **said)
    with transaction.atomic():
        if not close(run, DirectoryRunStatus.FAILED, only=only, **said):
            return False
        directory_run_ended.send(DirectorySyncRun, run=run, outcome=outcome)
    return True
