"""Starting runs because somebody asks for them: over REST and in admin."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.wakeup import wake
from projects.models import ProjectSyncHistory, RemoteSource, SyncType
from projects.sync import runs

RUN_TASK = "projects.run_pending"


def open_runs(
    sources: Sequence[RemoteSource], *, types: Collection[str] | None = None, force: bool, user: Any
) -> list[ProjectSyncHistory]:
    """One pending run for each of ``sources``, or for none of them. Raises AlreadyRunning."""
    with transaction.atomic():
        return [
            runs.open_run(
                source,
                sync_type=SyncType.MANUAL,
                force=force,
                types=None if types is None else [kind for kind in source.known_types if kind in types],
                user=user,
            )
            for source in sources
        ]


def hand_to_worker() -> None:
    """A worker takes the pending runs as soon as this transaction is committed; without Redis the sweeper does."""
    transaction.on_commit(lambda: wake(RUN_TASK))


NO_SOURCE = _("There is no project library to ask. Add one in admin, under remote sources.")
