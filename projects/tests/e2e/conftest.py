"""Two houses: one with everything, shared by the tests that leave it whole, and one with a web server only."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django_celery_beat.models import PeriodicTask

from config.testing.database import Database
from projects.tests.e2e.house import SYNC, House

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
HERE = Path(__file__).parent
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def build_projects(blank_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], House]:
    """Build a house over a new database. Whoever builds it finishes it."""

    def make() -> House:
        directory = tmp_path_factory.mktemp("projects")
        return House(directory, blank_database.copy(f"projects_{WORKER}_{next(_numbers)}", directory))

    return make


@pytest.fixture(scope="package")
def _full_house(build_projects: Callable[[], House]) -> Iterator[House]:
    house = build_projects()
    with house.database.opened():  # a quarter of an hour may strike during any test
        PeriodicTask.objects.filter(name=SYNC).update(enabled=False)
    house.start_wecom()
    house.open(workers=2, beat=True)
    yield house
    house.finish()


@pytest.fixture
def house(_full_house: House) -> House:
    """Web, two worker processes, beat, WeCom and the library, whose projects are in the mirror; nobody is told."""
    if not any(worker.running for worker in _full_house.workers):
        _full_house.start_worker(2)
    _full_house.heal()
    return _full_house


@pytest.fixture
def own_house(build_projects: Callable[[], House]) -> Iterator[House]:
    """A web server and the library, whose projects are in the mirror."""
    house = build_projects().open(workers=0)
    house.sync()
    yield house
    house.finish()
