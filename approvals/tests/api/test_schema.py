"""The OpenAPI schema: complete, and kept to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, settings
from knox.models import AuthToken
from rest_framework.throttling import SimpleRateThrottle

from approvals import quotes
from approvals.actors import actor_for
from approvals.batches import open_batch
from approvals.models import ApprovalInstance, Channel
from approvals.tests.api.conftest import client_of
from approvals.tests.conftest import CONTENT
from config.testing.rest_schema import CHECKS, assert_explained, load, open_connection

OPERATIONS = {
    "/api/quotes": {"get", "post"},
    "/api/quotes/{id}": {"get", "put", "patch", "delete"},
    "/api/quotes/{id}/submit": {"post"},
    "/api/quotes/{id}/revise": {"post"},
    "/api/approvals": {"get"},
    "/api/approvals/{id}": {"get"},
    "/api/approvals/{id}/timeline": {"get"},
    "/api/approvals/{id}/approve": {"post"},
    "/api/approvals/{id}/reject": {"post"},
    "/api/approvals/{id}/withdraw": {"post"},
    "/api/approvals/{id}/delegate": {"post"},
    "/api/approvals/{id}/remind": {"post"},
    "/api/approvals/status": {"get"},
    "/api/approvals/sync": {"post"},
    "/api/approvals/batch": {"post"},
    "/api/approvals/batch/{id}": {"get"},
    "/api/v1/wecom-callback/simulate-approval": {"post"},
}


@pytest.fixture
def document(ada: User) -> dict[str, Any]:
    return dict(client_of(ada).get("/api/schema?format=json").json())


def test_the_schema_is_generated_without_a_warning() -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO())


def test_every_operation_is_there_and_explained(document: dict[str, Any]) -> None:
    assert_explained(document, OPERATIONS)


# --- whatever the schema allows, and much that it does not, gets an answer that the schema describes ----------------


schema = load(OPERATIONS)


@pytest.fixture
def token(ada: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of somebody who may do everything, as often as they like."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES))
    with open_connection():
        yield str(AuthToken.objects.create(ada)[1])


@pytest.fixture
def existing(li: User, ada: User, submitted: Callable[..., ApprovalInstance]) -> dict[str, int]:
    """IDs to try: of a draft, of an approval that waits for a decision, and of a batch."""
    draft = quotes.create_quote(data=CONTENT, actor=actor_for(li, Channel.INTERNAL))
    approval = submitted(approvers=["wang.boss"], sp_no="S1").pk
    batch = open_batch(verb="sync", ids=[approval], actor=actor_for(ada, Channel.API))
    return {"quotes": draft.pk, "approvals": approval, "batch": batch.pk}


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_makes_it_fail_or_break_its_word(case: Any, token: str, existing: dict[str, int]) -> None:
    generated = case.path_parameters.get("id")
    if isinstance(generated, int) and generated % 4:
        case.path_parameters["id"] = existing["batch" if "/batch/" in case.path else case.path.split("/")[2]]
    with transaction.atomic():  # every request meets the same state
        case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=CHECKS)
        transaction.set_rollback(True)
