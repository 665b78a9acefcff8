"""The OpenAPI schema: complete, and kept to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from knox.models import AuthToken
from rest_framework.throttling import SimpleRateThrottle
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from approvals import quotes
from approvals.actors import actor_for
from approvals.models import ApprovalInstance, Channel
from approvals.tests.api.conftest import client_of
from approvals.tests.conftest import CONTENT

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
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
    "/api/v1/wecom-callback/simulate-approval": {"post"},
}


@pytest.fixture
def document(ada: User) -> dict[str, Any]:
    return dict(client_of(ada).get("/api/schema?format=json").json())


def test_the_schema_is_generated_without_a_warning() -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO())


def test_every_operation_is_there_and_explained(document: dict[str, Any]) -> None:
    ours = {path: operations for path, operations in document["paths"].items() if path in OPERATIONS}
    assert {path: set(operations) for path, operations in ours.items()} == OPERATIONS
    for path, operations in ours.items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert {"401", "429"} <= set(operation["responses"]), (method, path)
            assert operation["tags"] != ["api"], (method, path)
            if "requestBody" in operation:
                assert "400" in operation["responses"], (method, path)
                assert "examples" in operation["requestBody"]["content"]["application/json"], (method, path)


# --- whatever the schema allows, and much that it does not, gets an answer that the schema describes ----------------


def load() -> Any:
    """Loaded with the module, because the tests are made from it; without a request, because the URL is closed."""
    schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
    schema.app = get_wsgi_application()
    return schema.include(path=list(OPERATIONS))


schema = load()


@pytest.fixture
def open_connection() -> Iterator[None]:
    """As Django's own test client does: a finished request must not close the connection that holds the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def token(ada: User, open_connection: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of somebody who may do everything, as often as they like."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"user": None, "anon": None})
    return str(AuthToken.objects.create(ada)[1])


@pytest.fixture
def existing(li: User, submitted: Callable[..., ApprovalInstance]) -> dict[str, int]:
    """IDs to try: of a draft, and of an approval that waits for a decision."""
    draft = quotes.create_quote(data=CONTENT, actor=actor_for(li, Channel.INTERNAL))
    return {"quotes": draft.pk, "approvals": submitted(approvers=["wang.boss"], sp_no="S1").pk}


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_makes_it_fail_or_break_its_word(case: Any, token: str, existing: dict[str, int]) -> None:
    generated = case.path_parameters.get("id")
    if isinstance(generated, int) and generated % 4:
        case.path_parameters["id"] = existing[case.path.split("/")[2]]
    with transaction.atomic():  # every request meets the same state
        case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=CHECKS)
        transaction.set_rollback(True)
