from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from projects.models import ProjectSyncHistory, RemoteSource, SyncType
from projects.sync import runs
from projects.tests.sync.peer import PeerLibrary as Library
from projects.tests.sync.peer import source_of


@pytest.fixture
def library() -> Iterator[Library]:
    server = Library()
    yield server
    server.close()


@pytest.fixture
def source(library: Library, db: None) -> RemoteSource:
    return source_of(library)


def synchronise(source: RemoteSource, **options: Any) -> ProjectSyncHistory:
    """One run from its opening to its end."""
    return runs.run(runs.open_run(source, **{"sync_type": SyncType.MANUAL, **options}))
