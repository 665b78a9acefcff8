"""What the demo of the projects puts in, twice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from projects.models import ProjectAccessToken, ProjectCache, ProjectStatusChange, ProjectSyncHistory, RemoteSource
from projects.standin.options import Options
from projects.standin.server import LibraryServer
from projects.standin.world import World

pytestmark = pytest.mark.django_db

KEY = "demo-key-8Hd"


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[LibraryServer]:
    server = LibraryServer(World(Options(tmp_path / "library.sqlite3", KEY, projects=12, port=0)))
    server.start_in_background()
    settings.REMOTE_API_BASE_URL = settings.PROJECTS_STANDIN_URL = server.url
    settings.REMOTE_API_KEY = KEY
    yield server
    server.stop()


def seed() -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with translation.override("en"):
        call_command("seed_projects_demo", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_mirror_is_filled_and_the_customers_link_is_printed(server: LibraryServer) -> None:
    out, err = seed()
    assert err == ""
    assert ProjectCache.objects.count() == 12
    assert ProjectStatusChange.objects.count() == 4
    assert [run.pages_done for run in ProjectSyncHistory.objects.all()] == [2, 2], "the bar has steps to show"
    [project] = ProjectCache.objects.filter(links__access_type="customer")
    assert f"/project/{project.remote_id}?token=" in out
    assert f"{server.url}/change/{project.remote_id}" in out
    assert sorted(project.links.values_list("access_type", flat=True)) == ["customer", "engineer", "salesman"]


def test_the_second_time_nothing_grows_and_there_is_a_link_again(server: LibraryServer) -> None:
    first, _err = seed()
    calls = server.world.calls()
    second, err = seed()
    assert err == ""
    assert second.count("?token=") == 1
    assert second != first
    assert ProjectAccessToken.objects.count() == 3
    assert ProjectSyncHistory.objects.count() == 2
    assert server.world.calls() == calls


def test_the_source_follows_when_the_stand_in_has_moved(server: LibraryServer) -> None:
    seed()
    RemoteSource.objects.update(base_url="http://127.0.0.1:1")
    seed()
    assert RemoteSource.objects.get().base_url == server.url


def test_without_the_library_it_says_what_is_missing(server: LibraryServer, settings: Any) -> None:
    settings.REMOTE_API_KEY = "another"
    out, err = seed()
    assert out == ""
    assert err.startswith("Projects are missing: ")


def test_it_leaves_a_real_library_alone(settings: Any) -> None:
    settings.PROJECTS_STANDIN_URL = ""
    with pytest.raises(CommandError):
        seed()
