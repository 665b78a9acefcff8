"""Starting runs of the directory because somebody asks for them: over REST and in admin."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from config.wakeup import wake
from wecom.directory_sync import runs
from wecom.models import DirectorySyncRun, WeComConfig


def start(config: WeComConfig, sync_type: str, *, force: bool, user: Any) -> DirectorySyncRun:
    """A pending run, which a worker takes as soon as this transaction is committed; without Redis the sweeper does.

    Raises runs.AlreadyRunning.
    """
    run = runs.open_run(config, sync_type, force=force, user=user)
    transaction.on_commit(lambda: wake(runs.RUN_TASK))
    return run
