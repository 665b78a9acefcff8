"""Celery's entry points. The run's row owns what happens, not Celery."""

from __future__ import annotations

import structlog
from celery import shared_task

from config.wakeup import wake
from projects import document, purge
from projects.errors import AlreadyRunning
from projects.models import ProjectSyncHistory, RunStatus, SyncType
from projects.sources import enabled_sources
from projects.sync import alarms, runs

logger = structlog.get_logger(__name__)


@shared_task(name="projects.sync")
def sync() -> dict[str, str]:
    """A run over every enabled source; one that has a run already is left to it. Returns the status by source."""
    done = {}
    for source in enabled_sources():
        try:
            run = runs.run(runs.open_run(source, sync_type=SyncType.AUTO))
            done[source.slug] = str(run.status)
        except AlreadyRunning as busy:
            logger.info("sync_already_running", source=source.slug, run=busy.run.pk)
            done[source.slug] = str(busy.run.status)
        except Exception:  # the run is closed; the other sources have a right to theirs
            logger.exception("sync_crashed", source=source.slug)
            done[source.slug] = str(RunStatus.FAILED)
    return done


@shared_task(name="projects.run_pending")
def run_pending() -> int:
    return runs.run_pending()


@shared_task(name="projects.sweep")
def sweep() -> dict[str, int]:
    """Closes runs whose workers died, and wakes a worker for those that nobody has taken."""
    closed = runs.close_dead()
    alarms.end_without_source()  # a run that was under way when its source was switched off may have opened one
    waiting = ProjectSyncHistory.objects.filter(status=RunStatus.PENDING).count()
    if waiting:
        wake("projects.run_pending")
    return {"closed": closed, "waiting": waiting}


@shared_task(name="projects.purge_cache")
def purge_cache() -> dict[str, int]:
    """Also writes the documents anew whose turn was missed: the wake-up for that may have been lost."""
    return {"purged": purge.purge_cache(), "rewritten": document.rewrite_documents()}


@shared_task(name="projects.purge_tokens")
def purge_tokens() -> dict[str, int]:
    return {"links": purge.purge_tokens(), "looks": purge.purge_access_log()}


@shared_task(name="projects.rewrite_documents")
def rewrite_documents() -> int:
    return document.rewrite_documents()
