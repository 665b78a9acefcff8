"""The OpenAPI schema of the WeCom apps: complete, and kept to."""

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
from wecom.models import WeComConfig
from wecom.probe import probe_and_keep
from wecom.tests.peers import Peer
from wecom.tests.probing import grant_everything, refusal

OPERATIONS = {
    "/api/wework/config": {"get", "post"},
    "/api/wework/config/test": {"post"},
    "/api/wework/config/{id}": {"get", "put", "delete"},
}


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada")


def test_every_operation_is_there_and_explained(ada: User) -> None:
    document = client_of(ada).get("/api/schema?format=json").json()
    assert_explained(document, OPERATIONS)
    ours = [path for path in document["paths"] if path.startswith("/api/wework/config")]
    assert sorted(ours) == sorted(OPERATIONS)


schema = load(OPERATIONS)


@pytest.fixture
def token(ada: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of somebody who may do everything, as often as they like."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES))
    with open_connection():
        yield str(AuthToken.objects.create(ada)[1])


@pytest.fixture
def existing(app: WeComConfig, peer: Peer, db: None) -> int:
    """An app that may do some things."""
    app.save()
    grant_everything(peer)
    peer.answer("gettoken", refusal(40001))
    probe_and_keep(app)
    return int(app.pk)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_makes_it_fail_or_break_its_word(case: Any, token: str, existing: int) -> None:
    if "id" in case.path_parameters and len(str(case.path_parameters["id"])) % 4:
        case.path_parameters["id"] = existing
    with transaction.atomic():  # every request meets the same state
        case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=CHECKS)
        transaction.set_rollback(True)
