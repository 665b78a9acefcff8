"""Celery's entry points into the inbox. The rows own retries, not Celery."""

from __future__ import annotations

import structlog
from celery import shared_task

from config import durable
from wecom import inbox, refusals, spool
from wecom.client import for_config
from wecom.configs import config_for_slug, default_config, directory_readers
from wecom.contacts import refreshes
from wecom.directory_sync import previews, runs
from wecom.errors import WeComError
from wecom.models import CallbackEvent, ContactRefresh, DirectorySyncRun, DirectoryType, WeComConfig

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
def sync_directory(app: str = "") -> dict[str, str]:
    """Scheduled runs over everything, which repeat by themselves: of the app with the slug ``app``, else of one app of
    each company. Returns the status of each app's run by slug."""
    configs = _named(app) if app else _of_each_company()
    opened = [_open_scheduled(config) for config in configs]  # all of them first: what is open is run in any case
    return {run.config.slug: str((runs.run(run) if ours else run).status) for run, ours in opened}


def _named(app: str) -> list[WeComConfig]:
    config = config_for_slug(app)
    if config is None:
        logger.error("directory_app_unknown", app=app)
        return []
    return [config]


def _of_each_company() -> list[WeComConfig]:
    default_config()  # while there is none at all, it is made from the settings
    return list(directory_readers())


def _open_scheduled(config: WeComConfig) -> tuple[DirectorySyncRun, bool]:
    """The run, and whether it was opened now; if not, somebody is at it already."""
    try:
        return runs.open_run(config, DirectoryType.FULL, automatic=True), True
    except runs.AlreadyRunning as busy:
        logger.info("directory_already_running", app=config.slug, run=busy.run.pk)
        return busy.run, False


@shared_task(name="wecom.run_directory_runs")
def run_directory_runs() -> int:
    return runs.run_due()


@shared_task(name=previews.TASK)
def make_previews() -> int:
    return previews.make_due()
