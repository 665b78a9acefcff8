"""Wrong settings, one line each: as system checks, and at the start of servers, which run no checks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Any

import structlog
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register, run_checks
from django.db import DEFAULT_DB_ALIAS, connections
from django.dispatch import Signal

from config.environment import Problem

logger = structlog.get_logger(__name__)

WRONG_SETTING = "config.E001"
AT_START = "start"
"""Tag of the checks that look into the database, and that web and workers run once, beside their work."""

checked_at_start = Signal()
"""``found``: what those checks found (CheckMessages), nothing if all is well. Sent by each process, robustly."""


@register()
def settings_are_usable(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """One error per setting that ``config.settings`` could not use; each names its setting."""
    return [
        Error(problem.sentence, hint=problem.hint or None, obj=problem.setting, id=WRONG_SETTING)
        for problem in settings.PROBLEMS
    ]


def refuse_to_start(more: Sequence[Problem] = ()) -> None:
    """End the process with one line per wrong setting, those in ``more`` included; returns when there is none."""
    problems = [*settings.PROBLEMS, *more]
    for problem in problems:
        sys.stderr.write(f"Quotebridge cannot start: {problem}\n")
    if problems:
        raise SystemExit(1)


def check_at_start() -> threading.Thread:
    """Run the checks tagged ``AT_START`` in a thread of their own: no request waits for them, and a database that is
    away stops nobody. What they find is one line of the log each, and told by ``checked_at_start``."""
    thread = threading.Thread(target=_log_findings, name="check-at-start", daemon=True)
    thread.start()
    return thread


def _log_findings() -> None:
    try:
        found = run_checks(tags=[AT_START], databases=[DEFAULT_DB_ALIAS])
        for message in found:
            logger.critical("check_at_start", id=message.id, sentence=str(message.msg), remedy=str(message.hint or ""))
        checked_at_start.send_robust(sender=None, found=found)
    except Exception as error:  # noqa: BLE001 - no check may end a server that works
        logger.warning("check_at_start_failed", error=repr(error))
    finally:
        connections.close_all()  # this thread's own
