"""Celery's entry points into the inbox. The rows own retries, not Celery."""

from __future__ import annotations

import structlog
from celery import shared_task

from config import durable
from wecom import inbox, refusals, spool
from wecom.client import for_config
from wecom.errors import WeComError
from wecom.models import CallbackEvent, WeComConfig

logger = structlog.get_logger(__name__)

RENEW_BELOW = 30 * 60.0
"""Seconds; three runs of the schedule, so that one failed renewal costs no call its token."""


@shared_task(name="wecom.process_inbox")
def process_inbox() -> int:
    return inbox.process_due()


@shared_task(name="wecom.sweep")
def sweep() -> dict[str, int]:
    """Picks up what was left behind: spooled callbacks, due events; forgets old refusals."""
    done = {"due": durable.sweep(CallbackEvent), "forgotten": refusals.trim()}
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
