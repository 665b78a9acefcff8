"""The OpenAPI schema of projects: complete, and kept to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, settings
from knox.models import AuthToken
from rest_framework.throttling import SimpleRateThrottle

from config.testing.people import client_of
from config.testing.rest_schema import CHECKS, assert_explained, load, open_connection
from projects import tokens
from projects.models import ProjectSyncHistory, RemoteSource, RunStatus
from projects.tests.staff import copied, project

OPERATIONS = {
    "/api/projects/{id}": {"get"},
    "/api/projects/{id}/verify-access": {"get"},
    "/api/projects/{id}/links": {"get", "post"},
    "/api/projects/{id}/links/{link_id}/revoke": {"post"},
    "/api/projects/sync": {"post"},
    "/api/projects/sync/{run_id}": {"get"},
    "/api/projects/sync-history": {"get"},
    "/api/projects/sync-statistics": {"get"},
    "/api/config/project-sync": {"get", "post"},
    "/api/config/time-display": {"get", "post"},
}


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada")


def test_every_operation_is_there_and_explained(ada: User) -> None:
    document = client_of(ada).get("/api/schema?format=json").json()
    assert_explained(document, OPERATIONS)
    ours = [path for path in document["paths"] if path.startswith(("/api/projects", "/api/config"))]
    assert sorted(ours) == sorted(OPERATIONS)


schema = load(OPERATIONS)


@pytest.fixture
def token(ada: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of somebody who may do everything, as often as they like."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES))
    with open_connection():
        yield str(AuthToken.objects.create(ada)[1])


@pytest.fixture
def existing(source: RemoteSource) -> dict[str, Any]:
    """Names to try: of a project, a link and a run that are there."""
    copy = copied(source, project(1))
    link = tokens.issue(copy, user_id="C-1", user_name="W", access_type="customer").row
    run = ProjectSyncHistory.objects.create(source=source, status=RunStatus.SUCCESS)
    return {"id": copy.remote_id, "link_id": link.pk, "run_id": run.pk}


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_makes_it_fail_or_break_its_word(case: Any, token: str, existing: dict[str, Any]) -> None:
    for name, value in existing.items():
        if name in case.path_parameters and len(str(case.path_parameters[name])) % 4:
            case.path_parameters[name] = value
    with transaction.atomic():  # every request meets the same state
        case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=CHECKS)
        transaction.set_rollback(True)
