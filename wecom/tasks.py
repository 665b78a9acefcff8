"""Celery's entry points into the inbox. The rows own retries, not Celery."""

from __future__ import annotations

import structlog
from celery import shared_task

from config import durable
from wecom import inbox, refusals, spool
from wecom.client import for_config
from wecom.configs import default_config
from wecom.contacts import refreshes
from wecom.directory_sync import previews, runs
from wecom.errors import WeComError
from wecom.models import CallbackEvent, ContactRefresh, DirectoryType, WeComConfig

logger = structlog.get_logger(__name__)

RENEW_BELOW = 30 * 60.0
"""Seconds; three runs of the schedule, so that one failed renewal costs no call its token."""


@shared_task(name="wecom.process_inbox")
def process_inbox() -> int:
    return inbox.process_due()


@shared_task(name="wecom.refresh_contacts")
def refresh_contacts() -> int:
    """Reads from WeCom what callbacks have said to be different."""
    return refreshes.process_due()


@shared_task(name="wecom.sweep")
def sweep() -> dict[str, int]:
    """Picks up what was left behind: spooled callbacks, due events, contacts to read anew, runs of the directory;
    forgets old refusals."""
    left = {"due": durable.sweep(CallbackEvent), "contacts": durable.sweep(ContactRefresh)}
    done = {**left, "runs": runs.sweep(), "forgotten": refusals.trim()}
    return {**done, "replayed": spool.replay_spool()}  # last: it reads a disk, whose troubles are not the queue's


@shared_task(name="wecom.refresh_tokens")
def refresh_tokens() -> int:
    """Renews the access tokens that end soon, so that no decision waits for a gettoken; returns how many."""
    renewed = 0
    for config in WeComConfig.objects.filter(enabled=True):
        try:
            renewed += for_config(config).tokens.refresh_if_below(RENEW_BELOW)
        except WeComError as error:
            logger.warning("token_not_renewed", app=config.slug, error=repr(error))
    return renewed


@shared_task(name="wecom.sync_directory")
def sync_directory() -> str:
    """A scheduled run over everything of the default app, which repeats by itself; returns the run's status."""
    config = default_config()
    if config is None:
        return "no app"
    try:
        return str(runs.run(runs.open_run(config, DirectoryType.FULL, automatic=True)).status)
    except runs.AlreadyRunning as busy:
        logger.info("directory_already_running", app=config.slug, run=busy.run.pk)
        return str(busy.run.status)


@shared_task(name="wecom.run_directory_runs")
def run_directory_runs() -> int:
    return runs.run_due()


@shared_task(name=previews.TASK)
def make_previews() -> int:
    return previews.make_due()
