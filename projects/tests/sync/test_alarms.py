"""Incidents about a source end with it: no run will come that could end them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notifications.incidents import raise_incident
from notifications.models import Incident
from projects.models import RemoteSource, SyncType
from projects.sync import runs
from projects.tasks import sweep
from projects.tests.sync.conftest import synchronise
from projects.tests.sync.peer import HTML, project, source_of
from projects.tests.sync.peer import PeerLibrary as Library


def open_keys() -> set[str]:
    return set(Incident.objects.filter(resolved_at=None).values_list("key", flat=True))


@pytest.fixture
def troubled(library: Library, source: RemoteSource) -> RemoteSource:
    """A source whose brake held a run and whose next run failed; another one fails, too."""
    library.have(*(project(number) for number in range(20)))
    synchronise(source)
    library.have(project(0))
    synchronise(source)
    library.faults[1] = HTML
    synchronise(source)
    synchronise(source_of(library, slug="other", name="Other"))
    raise_incident("beat:silent", title="Of something else")
    assert open_keys() == {"sync-brake:default", "sync-failed:default", "sync-failed:other", "beat:silent"}
    return source


def switch_off(source: RemoteSource) -> None:
    source.enabled = False
    source.save()


def rename(source: RemoteSource) -> None:
    source.slug = "renamed"
    source.save()


def delete(source: RemoteSource) -> None:
    source.projects.all().delete()
    source.delete()


def delete_in_a_list(source: RemoteSource) -> None:
    source.projects.all().delete()
    RemoteSource.objects.filter(pk=source.pk).delete()


@pytest.mark.parametrize("end", [switch_off, rename, delete, delete_in_a_list])
def test_they_end_with_their_source(troubled: RemoteSource, end: Callable[[RemoteSource], object]) -> None:
    end(troubled)
    assert open_keys() == {"sync-failed:other", "beat:silent"}


def test_another_change_ends_none(troubled: RemoteSource) -> None:
    troubled.page_size = 7
    troubled.save()
    assert len(open_keys()) == 4


def test_a_run_that_fails_after_its_source_was_switched_off_leaves_none(library: Library, source: RemoteSource) -> None:
    library.faults[1] = HTML
    run = runs.open_run(source, sync_type=SyncType.AUTO)
    switch_off(source)
    runs.run(run)
    sweep()
    assert open_keys() == set()
