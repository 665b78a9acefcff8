"""Runs that wait: put back until WeCom may be asked again, or between two attempts of a scheduled run.

A waiting run is open, so it excludes others; whoever wants one now makes it due, or gives it up.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.runs import PENDING
from config.wakeup import wake
from wecom.directory_sync.runs import RUN_TASK
from wecom.models import DirectoryRunStatus, DirectorySyncRun


def run_now(run: DirectorySyncRun) -> bool:
    """A worker takes it as soon as this transaction is committed; False: it does not wait any more."""
    if not _still_pending(run, not_before=timezone.now()):
        return False
    transaction.on_commit(lambda: wake(RUN_TASK))
    return True


def give_up(run: DirectorySyncRun, person: str) -> bool:
    """Close it as failed, in the name of ``person``; False: it does not wait any more.

    No incident: somebody has looked at it.
    """
    said = _("%(person)s gave it up while it waited.") % {"person": person}
    message = f"{said} {run.message}".strip()[:500]
    return _still_pending(run, status=DirectoryRunStatus.FAILED, finished_at=timezone.now(), message=message)


def _still_pending(run: DirectorySyncRun, **changes: Any) -> bool:
    """Write ``changes`` unless a worker has just taken it."""
    return bool(DirectorySyncRun.objects.filter(pk=run.pk, status=PENDING).update(**changes))
