"""Links for staff over REST: made and told once, listed, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.testing.people import client_of, staff
from projects.models import ProjectAccessToken, ProjectCache, RemoteSource
from projects.tests.staff import copied, project

pytestmark = pytest.mark.django_db

LINKS = "/api/projects/P-1/links"
PERSON = {"user_id": "C-88", "user_name": "王小姐", "access_type": "customer"}
KEYS = {
    "id",
    "project_id",
    "user_id",
    "user_name",
    "access_type",
    "state",
    "created_by",
    "created_at",
    "expires_at",
    "revoked_at",
    "use_count",
    "last_used_at",
}


@pytest.fixture
def client(source: RemoteSource) -> Any:
    copied(source, project(1))
    return client_of(staff("projects.issue_links"))


def test_a_link_is_told_once_and_opens_its_project(client: Any):
    answer = client.post(LINKS, {**PERSON, "days": 3})
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) == {*KEYS, "token", "url"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["url"].endswith(f"/project/P-1?token={made['token']}")
    assert (made["state"], made["created_by"], made["project_id"]) == ("valid", "nora", "P-1")
    assert client.__class__().get("/api/projects/P-1", {"token": made["token"]}).json()["project"]["id"] == "P-1"
    row = ProjectAccessToken.objects.get()
    assert row.expires_at - row.created_at == timedelta(days=3)
    assert made["token"] not in str(client.get(LINKS).content)


def test_a_week_unless_said_otherwise(client: Any):
    client.post(LINKS, PERSON)
    row = ProjectAccessToken.objects.get()
    assert row.expires_at - row.created_at == timedelta(days=7)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user_id": ""}, "user_id"),
        ({"user_id": 88}, "user_id"),
        ({"user_name": "x" * 101}, "user_name"),
        ({"access_type": "boss"}, "access_type"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"days": "7"}, "days"),
        ({"expires_at": "2030-01-01"}, "expires_at"),
    ],
)
def test_bad_input_names_its_field_and_makes_nothing(client: Any, change: dict[str, Any], field: str):
    answer = client.post(LINKS, {**PERSON, **change})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not ProjectAccessToken.objects.exists()


@pytest.mark.parametrize("address", ["%00/links", "%00/links/1/revoke"])
def test_an_id_that_no_database_takes_is_unknown(client: Any, address: str):
    assert client.post(f"/api/projects/{address}", PERSON).status_code == 404


def test_of_an_unknown_project_there_are_none(client: Any):
    assert client.get("/api/projects/P-2/links").status_code == 404
    assert client.post("/api/projects/P-2/links", PERSON).status_code == 404


def test_the_list_is_newest_first_and_costs_the_same_however_long(client: Any, django_assert_num_queries: Any):
    copy = ProjectCache.objects.get()
    ends = {"revoked": {"revoked_at": timezone.now()}, "expired": {"expires_at": timezone.now()}, "valid": {}}
    for number, fields in enumerate(ends.values()):
        values = {"expires_at": timezone.now() + timedelta(days=1), **fields}
        ProjectAccessToken.objects.create(project=copy, digest=str(number), **PERSON, **values)
    with django_assert_num_queries(7):
        body = client.get(LINKS).json()
    assert set(body) == {"count", "next", "previous", "results"}
    assert [entry["state"] for entry in body["results"]] == ["valid", "expired", "revoked"]
    assert set(body["results"][0]) == KEYS
    ProjectAccessToken.objects.bulk_create(
        ProjectAccessToken(project=copy, digest=f"d{n}", expires_at=timezone.now(), **PERSON) for n in range(40)
    )
    with django_assert_num_queries(7):
        assert len(client.get(LINKS).json()["results"]) == 43


def test_revoking_closes_it_once(client: Any):
    made = client.post(LINKS, PERSON).json()
    revoke = f"{LINKS}/{made['id']}/revoke"
    answer = client.post(revoke)
    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert ProjectAccessToken.objects.get().revoked_by is not None
    refused = client.__class__().get("/api/projects/P-1", {"token": made["token"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "token_revoked")
    again = client.post(revoke)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


def test_a_link_is_found_under_its_own_project_only(client: Any, source: RemoteSource):
    copied(source, project(2))
    made = client.post(LINKS, PERSON).json()
    assert client.post(f"/api/projects/P-2/links/{made['id']}/revoke").status_code == 404
    assert ProjectAccessToken.objects.get().revoked_at is None
