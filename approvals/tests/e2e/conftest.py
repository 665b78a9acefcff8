"""Houses: whole systems of real processes. One is shared by the tests that break nothing; the others get their own.

When a house is closed, no secret may stand in any log of any of its processes, whatever happened in there.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from approvals.tests.e2e.house import House
from config.testing.database import Database

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
HERE = Path(__file__).parent
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def build(blank_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., House]:
    """Build a house over ``database``, or over a new one. Whoever builds it closes it."""

    def make(database: Database | None = None) -> House:
        directory = tmp_path_factory.mktemp("house")
        return House(directory, database or blank_database.copy(f"e2e_{WORKER}_{next(_numbers)}", directory))

    return make


@pytest.fixture
def own_house(build: Callable[..., House]) -> Iterator[House]:
    """A house for this test alone, which may break it. Only its WeCom is running yet."""
    house = build()
    yield house
    house.finish()


@pytest.fixture(scope="package")
def _shared_house(build: Callable[..., House]) -> Iterator[House]:
    house = build().open(web=2, workers=2)
    yield house
    house.finish()


@pytest.fixture
def house(_shared_house: House) -> Iterator[House]:
    """The shared house in good health: two web and two worker processes, no beat."""
    _shared_house.phone.heal()
    yield _shared_house
    _shared_house.phone.heal()
