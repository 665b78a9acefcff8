"""Staff read projects with their own credentials."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from knox.models import AuthToken

from projects.models import ProjectCache, RemoteSource
from projects.tests.access.conftest import ITEM
from wecom.models import Member, WeComConfig
from wecom.tests.peers import Peer, Raw, refused_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> User:
    user = User.objects.create_user("clerk", first_name="Li", last_name="Mei")
    user.user_permissions.add(Permission.objects.get(codename="view_projectcache"))
    return user


@pytest.fixture
def staff(clerk: User, client: Client) -> Client:
    client.force_login(clerk)
    return client


def test_a_token_or_a_session_reads(project: ProjectCache, clerk: User, client: Client) -> None:
    _, token = AuthToken.objects.create(clerk)
    by_token = client.get("/api/projects/P-1001", headers={"authorization": f"Token {token}"})
    client.force_login(clerk)
    by_session = client.get("/api/projects/P-1001")
    assert by_token.json() == by_session.json()
    assert set(by_token.json()) == {"project", "from_cache", "stale", "cache_time", "last_sync"}
    assert "no-store" in by_token.headers["Cache-Control"]


def test_numbers_need_a_right(project: ProjectCache, clerk: User, staff: Client) -> None:
    assert staff.get("/api/projects/P-1001").json()["project"]["phone"] == "138****8888"
    clerk.user_permissions.add(Permission.objects.get(codename="view_phone"))
    assert staff.get("/api/projects/P-1001").json()["project"]["phone"] == "13812348888"


@pytest.mark.parametrize("path", ["/api/projects/P-1001", "/api/projects/P-1001/verify-access"])
def test_nobody_else_reads(path: str, project: ProjectCache, client: Client) -> None:
    stranger = client.get(path)
    assert (stranger.status_code, stranger.json()["code"]) == (401, "not_authenticated")
    client.force_login(User.objects.create_user("guest"))
    guest = client.get(path)
    assert (guest.status_code, guest.json()["code"]) == (403, "not_allowed")
    expected = False if path.endswith("verify-access") else None
    assert stranger.json().get("has_access") is guest.json().get("has_access") is expected


def test_verify_access_says_what_staff_are_to_the_project(project: ProjectCache, clerk: User, staff: Client) -> None:
    answer = {"has_access": True, "user_id": "clerk", "user_name": "Li Mei", "access_type": "salesman"}
    assert staff.get("/api/projects/P-1001/verify-access").json() == answer
    app = WeComConfig.objects.create(slug="app", name="App", corp_id="ww", agent_id=1, secret="secret")
    Member.objects.create(config=app, userid="zhang.wei", name="张伟", user=clerk)
    assert staff.get("/api/projects/P-1001/verify-access").json() == answer | {"access_type": "engineer"}


def test_a_project_that_the_mirror_lacks_is_looked_up(source: RemoteSource, staff: Client, library: Peer) -> None:
    library.answer("/projects/P-7", ITEM | {"id": "P-7"})
    answer = staff.get("/api/projects/P-7")
    assert (answer.status_code, answer.json()["project"]["id"]) == (200, "P-7")
    assert ProjectCache.objects.get().remote_id == "P-7"


def test_it_is_looked_up_in_every_library(source: RemoteSource, staff: Client, library: Peer) -> None:
    library.answer("/projects/P-7", Raw(404))
    second = Peer()
    second.answer("/projects/P-7", ITEM | {"id": "P-7"})
    RemoteSource.objects.create(slug="second", name="Second", base_url=second.url)
    assert staff.get("/api/projects/P-7").status_code == 200
    second.close()


@pytest.mark.parametrize("path", ["/api/projects/P-7", "/api/projects/P-7/verify-access"])
def test_what_no_library_has_is_unknown(path: str, source: RemoteSource, staff: Client, library: Peer) -> None:
    library.answer("/projects/P-7", Raw(404))
    answer = staff.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_without_any_library_it_is_unknown(staff: Client) -> None:
    assert staff.get("/api/projects/P-7").status_code == 404


def test_while_a_library_is_away_nobody_knows(source: RemoteSource, staff: Client, library: Peer) -> None:
    library.answer("/projects/P-7", Raw(404))
    RemoteSource.objects.create(slug="down", name="Down", base_url=refused_url())
    answers = [staff.get("/api/projects/P-7") for _ in range(2)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(502, "remote_failed")] * 2


@pytest.mark.parametrize("remote_id", ["%00", "x" * 101, "a%0Ab"])
def test_what_cannot_be_an_id_is_unknown(remote_id: str, staff: Client) -> None:
    assert staff.get(f"/api/projects/{remote_id}").status_code == 404


def test_staff_may_insist_too(project: ProjectCache, staff: Client, library: Peer) -> None:
    ProjectCache.objects.update(fetched_at="2026-01-05T00:00:00Z")
    library.answer("/projects/P-1001", ITEM | {"status": "resolved"})
    answer: dict[str, Any] = staff.get("/api/projects/P-1001?force_sync=true").json()
    assert (answer["from_cache"], answer["project"]["status"]) == (False, "resolved")
    assert staff.get("/api/projects/P-1001?force_sync=perhaps").status_code == 400
