"""The doctor and the mirror: every check fails with a remedy when its part is broken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from config import doctor
from config.doctor import Result
from projects import schedule
from projects.models import RemoteSource
from projects.tests.staff import LibraryPeer, listing, project, source_at
from wecom.tests.peers import Peer, Raw

pytestmark = pytest.mark.django_db

CHECKS = ("projects.libraries", "projects.last_run", "projects.schedule")


def ask(name: str) -> Result:
    return doctor._registered[name].check()


@pytest.fixture
def library() -> Iterator[Peer]:
    peer = LibraryPeer()
    peer.answer("/projects", listing(project(1), project(2)))
    yield peer
    peer.close()


@pytest.fixture
def source(library: Peer) -> RemoteSource:
    schedule.move(enabled=True, text=schedule.DEFAULT)
    source = source_at(library)
    source.confirmed_at = timezone.now()
    source.save()
    return source


def test_a_site_without_a_library_is_healthy():
    assert [ask(name).ok for name in CHECKS] == [True, True, True]


def test_all_is_well(source: RemoteSource):
    results = [ask(name) for name in CHECKS]
    assert [result.ok for result in results] == [True, True, True], results
    assert "Main: 2" in str(results[0].sentence)


def test_a_library_that_lets_nobody_in(source: RemoteSource, library: Peer):
    library.answer("/projects", Raw(401))
    result = ask("projects.libraries")
    assert (result.ok, bool(result.remedy)) == (False, True)
    assert "Main" in str(result.sentence)
    assert "library-key-secret" not in f"{result.sentence} {result.remedy}"


def test_a_library_that_was_never_read_completely(source: RemoteSource):
    RemoteSource.objects.update(confirmed_at=None)
    result = ask("projects.last_run")
    assert (result.ok, bool(result.remedy)) == (False, True)


@pytest.mark.parametrize(
    ("text", "minutes", "ok"),
    [
        ("*/15 * * * *", 59, True),  # an hour is no reason for alarm
        ("*/15 * * * *", 61, False),
        ("0 */2 * * *", 5 * 60, True),  # three runs have not been missed
        ("0 */2 * * *", 7 * 60, False),
    ],
)
def test_how_old_is_too_old_depends_on_the_schedule(source: RemoteSource, text: str, minutes: int, ok: bool):
    schedule.move(enabled=True, text=text)
    RemoteSource.objects.update(confirmed_at=timezone.now() - timedelta(minutes=minutes))
    assert ask("projects.last_run").ok is ok


def test_a_schedule_that_is_off(source: RemoteSource):
    schedule.move(enabled=False, text=schedule.DEFAULT)
    result = ask("projects.schedule")
    assert (result.ok, bool(result.remedy)) == (False, True)
