"""The OpenAPI schema of the directory's synchronisation: complete, and kept to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from knox.models import AuthToken
from rest_framework.throttling import SimpleRateThrottle

from config.testing.people import client_of
from config.testing.rest_schema import CHECKS, assert_explained, load, open_connection
from wecom.models import DirectoryRunStatus, DirectorySyncRun, WeComConfig

OPERATIONS = {
    "/api/wework/sync": {"post"},
    "/api/wework/sync/departments": {"post"},
    "/api/wework/sync/users": {"post"},
    "/api/wework/sync/customers": {"post"},
    "/api/wework/sync/logs": {"get"},
    "/api/wework/sync/logs/{log_id}": {"get"},
    "/api/wework/sync/status": {"get"},
}


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada")


def test_every_operation_is_there_and_explained(ada: User) -> None:
    document = client_of(ada).get("/api/schema?format=json").json()
    assert_explained(document, OPERATIONS)
    ours = [path for path in document["paths"] if path.startswith("/api/wework/sync")]
    assert sorted(ours) == sorted(OPERATIONS)


schema = load(OPERATIONS)


@pytest.fixture
def token(ada: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of somebody who may do everything, as often as they like."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES))
    with open_connection():
        yield str(AuthToken.objects.create(ada)[1])


@pytest.fixture
def log_id(app: WeComConfig, db: None) -> int:
    """Of a run that is there; another one is open."""
    app.save()
    now = timezone.now()
    DirectorySyncRun.objects.create(
        config=app, sync_type="user", status=DirectoryRunStatus.RUNNING, started_at=now, calls_done=1, calls_expected=9
    )
    done = {"status": DirectoryRunStatus.SUCCESS, "started_at": now, "finished_at": now}
    return DirectorySyncRun.objects.create(config=app, sync_type="department", **done).pk


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_makes_it_fail_or_break_its_word(case: Any, token: str, log_id: int) -> None:
    if "log_id" in case.path_parameters and len(str(case.path_parameters["log_id"])) % 4:
        case.path_parameters["log_id"] = log_id
    with transaction.atomic():  # every request meets the same state
        case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=CHECKS)
        transaction.set_rollback(True)
