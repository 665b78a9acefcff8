"""Runs: one at a time for each source, claimed by one worker, always closed by somebody.

::

    pending ──claim──► running ──► success
                          │ ├────► partial   broke off; the pages that were applied stay
                          │ └────► failed    nothing was applied, or the brake held
                          └── its worker died: closed by whoever comes next, once the lease is over

A broken-off run leaves its place in ``RemoteSource.resume_page``. The next one starts there, goes on to the last page
and then from the first one to where it started: so every run that reaches its end has seen everything.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from config.runs import OPEN, ClaimLost, await_turn, claim, dead
from projects.errors import AlreadyRunning, RemoteError
from projects.models import ProjectSyncConfig, ProjectSyncHistory, RemoteSource, RunStatus
from projects.sync.closing import close_braked, close_broken, close_dead_run, close_done, summary
from projects.sync.passage import AppliedPassage, BrakeHeld, Passage, Tell, lease

logger = structlog.get_logger(__name__)


def open_run(
    source: RemoteSource,
    *,
    sync_type: str,
    force: bool = False,
    types: Collection[str] | None = None,
    user: Any = None,
) -> ProjectSyncHistory:
    """A pending run over ``source``; ``run()`` it, or let ``run_pending()`` do so in a worker.

    ``types``: only these, of those that the source has; ``None``: those of the synchronisation settings. ``force``:
    without the brake. Raises AlreadyRunning.
    """
    close_dead(source)
    try:
        with transaction.atomic():
            return ProjectSyncHistory.objects.create(
                source=source,
                sync_type=sync_type,
                force=force,
                project_types=_types(source, types),
                started_by=user,
            )
    except IntegrityError:
        opened = ProjectSyncHistory.objects.filter(source=source, status__in=OPEN).first()
        if opened is None:  # it has just ended
            return open_run(source, sync_type=sync_type, force=force, types=types, user=user)
        raise AlreadyRunning(opened) from None


def _types(source: RemoteSource, types: Collection[str] | None) -> list[str]:
    wanted = ProjectSyncConfig.load().sync_types if types is None else types
    return [kind for kind in source.known_types if kind in wanted]


def run(history: ProjectSyncHistory, *, tell: Tell | None = None) -> ProjectSyncHistory:
    """Run it to its end; returns the closed run. ``tell`` is called with it after every page.

    If a worker has taken it meanwhile, its end is waited for. Troubles of the library end in the run, not in an
    exception; anything unexpected is raised once the run is closed.
    """
    if not _claim(history):
        await_turn(history, lambda: close_dead(history.source))
        return history
    with translation.override(settings.LANGUAGE_CODE):  # what the row says is for everybody
        return _run_claimed(history, tell)


def dry_run(
    source: RemoteSource, *, types: Collection[str] | None = None, force: bool = False, tell: Tell | None = None
) -> ProjectSyncHistory:
    """What a run would do, as a run that is saved nowhere: the same code, but nothing is written.

    Raises RemoteError, BrakeHeld.
    """
    history = ProjectSyncHistory(
        source=source, force=force, project_types=_types(source, types), started_at=timezone.now()
    )
    passage = Passage(history, tell=tell)
    passage.go()
    history.message, history.error_detail = summary(history), passage.reasons
    return history


def run_pending() -> int:
    """Run what waits for a worker; returns how many."""
    done = 0
    for history in ProjectSyncHistory.objects.filter(status=RunStatus.PENDING).select_related("source").order_by("pk"):
        if _claim(history):
            done += 1
            try:
                with translation.override(settings.LANGUAGE_CODE):
                    _run_claimed(history, None)
            except Exception:
                logger.exception("sync_crashed", run=history.pk)
    return done


def close_dead(source: RemoteSource | None = None) -> int:
    """Close the runs whose workers have given no sign of life for longer than their lease; returns how many."""
    runs = dead(ProjectSyncHistory.objects.all())
    if source is not None:
        runs = runs.filter(source=source)
    with translation.override(settings.LANGUAGE_CODE):
        return sum(close_dead_run(history) for history in runs.select_related("source"))


def hit_brake(history: ProjectSyncHistory) -> bool:
    """Whether the brake ended it: the only way to fail after pages were read."""
    return history.status == RunStatus.FAILED and history.pages_done > 0


def _claim(history: ProjectSyncHistory) -> bool:
    return claim(history, lease(history.source), first_page=_first_page(history.source))


def _first_page(source: RemoteSource) -> int:
    return RemoteSource.objects.values_list("resume_page", flat=True).get(pk=source.pk)


def _run_claimed(history: ProjectSyncHistory, tell: Tell | None) -> ProjectSyncHistory:
    passage = AppliedPassage(history, tell=tell)
    try:
        passage.go()
    except ClaimLost:
        logger.warning("sync_claim_lost", run=history.pk)
        history.refresh_from_db()
    except RemoteError as error:
        close_broken(history, passage, str(error.sentence), str(error.remedy))
    except BrakeHeld as brake:
        close_braked(history, passage, brake)
    except BaseException as error:
        sentence = _("The run broke off because of an error in this system: %(error)s.")
        close_broken(history, passage, sentence % {"error": type(error).__name__}, _("The log tells more."))
        raise
    else:
        close_done(history, passage)
    logger.info(
        "sync_ended", run=history.pk, source=history.source.slug, status=str(history.status), pages=history.pages_done
    )
    return history
