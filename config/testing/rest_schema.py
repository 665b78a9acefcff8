"""Holding operations to the OpenAPI schema: explained in it, and kept to by whatever they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
Operations = dict[str, set[str]]
"""Path → its methods."""


def load(operations: Operations) -> Any:
    """The schema of ``operations``. Loaded with a test module, because its tests are made from it; without a request,
    because its URL is closed."""
    schema = schemathesis.openapi.from_dict(_document())
    schema.app = get_wsgi_application()
    return schema.include(path=list(operations))


@cache
def _document() -> Any:
    """Half a second; each worker collects all modules."""
    return SchemaGenerator().get_schema(request=None, public=True)


def assert_explained(document: dict[str, Any], operations: Operations) -> None:
    ours = {path: methods for path, methods in document["paths"].items() if path in operations}
    assert {path: set(methods) for path, methods in ours.items()} == operations
    for path, methods in ours.items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert {"401", "429"} <= set(operation["responses"]), (method, path)
            assert operation["tags"] != ["api"], (method, path)
            if "requestBody" in operation:
                assert "400" in operation["responses"], (method, path)
                assert "examples" in operation["requestBody"]["content"]["application/json"], (method, path)


@contextmanager
def open_connection() -> Iterator[None]:
    """As Django's own test client does: a finished request must not close the connection that holds the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
