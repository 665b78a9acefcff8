"""Runs: rows that one worker claims, keeps alive and closes; those of dead workers are closed by whoever comes next.

For models with ``status`` (pending, running, and words of their own for the end), ``claim``, ``alive_until``,
``started_at`` and ``finished_at``. What a run does, and what its end means, belongs to its own app.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

PENDING, RUNNING = "pending", "running"
OPEN = (PENDING, RUNNING)
LOOK_EVERY = 0.2
"""Seconds between two looks at a run that another worker is busy with."""

Run = TypeVar("Run", bound=Model)


class ClaimLost(Exception):
    """Somebody closed this run as dead; whatever was about to be written rolls back."""


def held(run: Run) -> QuerySet[Run]:
    """The run's row, while the claim of ``run`` holds."""
    model: Any = type(run)
    rows: QuerySet[Run] = model._default_manager.filter(pk=run.pk, claim=run.claim, status=RUNNING)  # type: ignore[attr-defined]
    return rows


def claim(run: Model, lease: timedelta, *, only: Q | None = None, **changes: Any) -> bool:
    """Take a pending run for this worker; False when it is not pending any more (or does not meet ``only``)."""
    model: Any = type(run)
    now = timezone.now()
    changes |= {"status": RUNNING, "claim": uuid.uuid4(), "started_at": now, "alive_until": now + lease}
    if not model._default_manager.filter(only or Q(), pk=run.pk, status=PENDING).update(**changes):
        return False
    _set(run, changes)
    return True


def close(run: Model, status: str, *, only: Q | None = None, **changes: Any) -> bool:
    """Let go of a held run, with its new status and ``changes``; False, and the row read again, if it is not held.

    To ``pending`` means that it goes back to whoever is next.
    """
    ended = None if status == PENDING else timezone.now()
    changes |= {"status": status, "finished_at": ended, "alive_until": None}
    if not held(run).filter(only or Q()).update(**changes):
        run.refresh_from_db()
        return False
    _set(run, changes)
    return True


def dead(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Of ``runs``, those whose workers have given no sign of life for longer than their lease."""
    return runs.filter(status=RUNNING, alive_until__lt=timezone.now())


def await_turn(run: Model, close_dead: Callable[[], object]) -> None:
    """Wait while another worker is busy with ``run``; its row is current afterwards."""
    while True:
        run.refresh_from_db()
        if run.status != RUNNING:  # type: ignore[attr-defined]
            return
        close_dead()
        time.sleep(LOOK_EVERY)


def _set(run: Model, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(run, name, value)
