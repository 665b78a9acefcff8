from __future__ import annotations

from collections.abc import Iterator

import pytest

from projects.models import RemoteSource
from projects.tests.staff import LibraryPeer, listing, project, source_at
from wecom.tests.peers import Peer


@pytest.fixture
def library() -> Iterator[Peer]:
    """A real server; it has one project until the test says otherwise."""
    peer = LibraryPeer()
    peer.answer("/projects", listing(project(1)))
    yield peer
    peer.close()


@pytest.fixture
def source(db: None, library: Peer) -> RemoteSource:
    return source_at(library)
