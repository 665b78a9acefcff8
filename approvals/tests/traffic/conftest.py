"""The traffic with WeCom, over real sockets: the stand-in on a port of its own, and what tests ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django.fixtures import Settings

from approvals.models import ApprovalInstance, ApprovalTemplate, SyncOperation
from approvals.operations import MAY_STILL_ARRIVE, SENT_AT
from approvals.tests.played import played
from wecom.models import WeComConfig
from wecom.standin.server import StandinServer


class Standin:
    """WeCom as the tests see it: what arrived there, what its people do, what goes wrong."""

    def __init__(self, server: StandinServer) -> None:
        self.server, self.url = server, server.url
        self._session = requests.Session()

    def get(self, path: str, **query: str) -> Any:
        return self._session.get(f"{self.url}/standin/api/{path}", params=query, timeout=10).json()

    def post(self, path: str, **body: Any) -> Any:
        response = self._session.post(f"{self.url}/standin/api/{path}", json=body, timeout=10)
        assert response.status_code == 200, response.text
        return response.json()

    def approvals(self, **query: str) -> list[dict[str, Any]]:
        return list(self.get("approvals", **query)["approvals"])

    def act(self, number: str, action: str, **body: Any) -> dict[str, Any]:
        return dict(self.post(f"approvals/{number}/act", action=action, **body))

    def fault(self, kind: str, endpoint: str = "*", *, count: int = 1, **parameters: Any) -> None:
        self.post("faults", kind=kind, endpoint=endpoint, count=count, **parameters)

    def calls(self, endpoint: str) -> int:
        return int(self.get("stats")["calls"].get(endpoint, {}).get("total", 0))

    def texts(self, userid: str) -> list[str]:
        """The texts that the member was sent, newest first."""
        return [message["content"]["content"] for message in self.get("messages", userid=userid)["messages"]]


@pytest.fixture
def standin(tmp_path: Path, settings: Settings, wecom_app: WeComConfig) -> Iterator[Standin]:
    """A stand-in that plays ``wecom_app``'s company and calls nobody back."""
    with played(wecom_app, settings, tmp_path) as server:
        yield Standin(server)


@pytest.fixture
def template(wecom_app: WeComConfig) -> ApprovalTemplate:
    return ApprovalTemplate.objects.get_or_create(config=wecom_app, template_id=wecom_app.template_id)[0]


@pytest.fixture
def operation() -> Callable[..., SyncOperation]:
    def latest(instance: ApprovalInstance, kind: str = "submit") -> SyncOperation:
        found: SyncOperation = SyncOperation.objects.filter(instance=instance, kind=kind).latest("pk")
        return found

    return latest


@pytest.fixture
def all_due() -> Callable[[], None]:
    """The time that the queue's rows wait for has come."""

    def make() -> None:
        SyncOperation.objects.update(next_attempt_at=timezone.now())

    return make


def sent_long_ago(rows: QuerySet[SyncOperation]) -> None:
    """What was sent without an answer would have arrived by now, and the rows are due."""
    for row in rows:
        sent_at = datetime.fromisoformat(row.payload[SENT_AT]) - MAY_STILL_ARRIVE
        rows.filter(pk=row.pk).update(
            payload={**row.payload, SENT_AT: sent_at.isoformat()}, next_attempt_at=timezone.now()
        )


@pytest.fixture
def time_to_arrive_is_over() -> Callable[[], None]:
    return lambda: sent_long_ago(SyncOperation.objects.filter(kind="submit"))
