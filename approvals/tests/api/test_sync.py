"""POST /api/approvals/sync: what is queued, and what happens while Redis is away."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from django.contrib.auth.models import User
from redis import Redis

from approvals.models import ApprovalInstance
from approvals.tests.api.conftest import client_of
from config import wakeup
from config.celery import app as celery_app
from config.testing.ports import reserved_port

Submitted = Callable[..., ApprovalInstance]
PATH = "/api/approvals/sync"


def queued() -> list[tuple[str, str]]:
    """Task and arguments (as text) of every message that waits for a worker."""
    wakeup.flush()
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        messages = [json.loads(raw) for raw in redis.lrange("celery", 0, -1)]  # type: ignore[union-attr]
    return [(message["headers"]["task"], message["headers"]["kwargsrepr"]) for message in messages]


@pytest.fixture(autouse=True)
def fresh_waker(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that remembers no failed broker, and that nobody else uses."""
    monkeypatch.setattr(wakeup, "_waker", wakeup.Waker())


@pytest.fixture
def no_broker() -> Iterator[None]:
    """Celery's connections, in every thread, go to a port where nobody listens."""
    lost = Celery("lost", broker=f"redis://127.0.0.1:{reserved_port()}/0")
    lost.set_default()
    yield
    celery_app.set_default()
    celery_app.set_current()
    lost.close()


def test_all_open_approvals_are_compared(chen: User) -> None:
    answer = client_of(chen).post(PATH)
    assert (answer.status_code, answer.json()) == (202, {})
    assert [task for task, _arguments in queued()] == ["approvals.reconcile"]


def test_only_the_named_ones_are_compared(submitted: Submitted, chen: User) -> None:
    ids = [submitted().pk]
    answer = client_of(chen).post(PATH, {"ids": ids})
    assert (answer.status_code, answer.json()) == (202, {"ids": ids})
    assert ("approvals.reconcile", repr({"ids": ids})) in queued()


@pytest.mark.parametrize("ids", [[], [0], [-1], ["x"], [None], [2**63], [10**400], "1", {"1": 1}, [1] * 201, [999999]])
def test_impossible_ids_are_refused(chen: User, ids: Any) -> None:
    answer = client_of(chen).post(PATH, {"ids": ids})
    assert answer.status_code == 400
    assert set(answer.json()) == {"ids"}
    assert queued() == []


def test_comparing_takes_its_own_permission(submitted: Submitted, li: User) -> None:
    submitted()
    answer = client_of(li).post(PATH)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_without_redis_everything_waits_for_the_schedule_and_the_named_ones_are_refused_honestly(
    submitted: Submitted, chen: User, no_broker: None
) -> None:
    client = client_of(chen)
    assert client.post(PATH).status_code == 202
    assert wakeup.flush()
    answer = client.post(PATH, {"ids": [submitted().pk]})
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "queue_away", "60")
    assert queued() == []
