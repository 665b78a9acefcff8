"""Whatever a library goes through, the mirror ends as the library is."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.models import (
    ProjectCache,
    ProjectStatus,
    ProjectStatusChange,
    ProjectSyncHistory,
    ProjectType,
    RemoteSource,
    RunStatus,
)
from projects.tests.sync.conftest import synchronise
from projects.tests.sync.peer import HTML, project
from projects.tests.sync.peer import PeerLibrary as Library

item = st.fixed_dictionaries(
    {
        "type": st.sampled_from(ProjectType.values),
        "status": st.sampled_from(ProjectStatus.values),
        "title": st.sampled_from(["水泵", "Ventil"]),
    }
)
state = st.tuples(
    st.dictionaries(st.integers(0, 9), item, max_size=8),
    st.none() | st.integers(1, 4),  # the page on which the library fails
    st.permutations(range(10)),
)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(state, min_size=1, max_size=6))
def test_the_mirror_ends_as_the_library(library: Library, source: RemoteSource, states: list[Any]) -> None:
    for model in (ProjectStatusChange, ProjectSyncHistory, ProjectCache):
        model.objects.all().delete()
    for projects, failing_page, order in states:
        library.have(*(project(number, **projects[number]) for number in order if number in projects))
        library.faults = {failing_page: HTML} if failing_page else {}
        synchronise(source, force=True)
    library.faults.clear()
    run = synchronise(source, force=True)
    assert run.status == RunStatus.SUCCESS
    assert _copies() == {
        item["id"]: (item["type"], item["status"], item["title"]) for item in library.projects.values()
    }
    assert run.total_projects == len(library.projects)
    _demand_unbroken_stories()


def _copies() -> dict[str, tuple[str, str, str]]:
    rows = ProjectCache.objects.listed().values_list("remote_id", "type", "status", "title")
    return {remote_id: (kind, status, title) for remote_id, kind, status, title in rows}


def _demand_unbroken_stories() -> None:
    """Of each project every status change begins where the one before has ended, and the last one is its status."""
    stories: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for change in ProjectStatusChange.objects.order_by("pk"):
        stories[change.remote_id].append((change.old_status, change.new_status))
    now = dict(ProjectCache.objects.values_list("remote_id", "status"))
    for remote_id, story in stories.items():
        assert all(new == old for (_, new), (old, _) in pairwise(story)), story
        assert story[-1][1] == now[remote_id]
