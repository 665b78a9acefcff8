"""Wrong settings, one line each: as system checks, and at the start of servers, which run no checks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

WRONG_SETTING = "config.E001"
GUNICORN_BOOT_ERROR = 3
"""The exit status that ends gunicorn instead of starting the worker again (gunicorn.arbiter.WORKER_BOOT_ERROR)."""


@register()
def settings_are_usable(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """One error per setting that ``config.settings`` could not use; each names its setting."""
    return [
        Error(problem.sentence, hint=problem.hint or None, obj=problem.setting, id=WRONG_SETTING)
        for problem in settings.PROBLEMS
    ]


def refuse_to_start() -> None:
    """End the process with one line per wrong setting; returns when there is none."""
    for problem in settings.PROBLEMS:
        sys.stderr.write(f"Quotebridge cannot start: {problem}\n")
    if settings.PROBLEMS:
        raise SystemExit(GUNICORN_BOOT_ERROR)
