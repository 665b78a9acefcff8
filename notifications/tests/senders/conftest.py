"""A robot of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wecom.tests.peers import Peer


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    yield server
    server.close()
