"""A library on a real port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.standin.options import Options
from projects.standin.server import LibraryServer
from projects.standin.world import World
from projects.tests.library import KEY, Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    server = LibraryServer(World(Options(tmp_path / "library.sqlite3", KEY, projects=25, port=0)))
    server.start_in_background()
    yield Library(server.url)
    server.stop()
