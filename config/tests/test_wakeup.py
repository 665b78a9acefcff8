"""Waking a worker costs the caller nothing, whatever the broker does, and merges what belongs together."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import structlog
from celery import Celery
from django.conf import settings
from redis import Redis

from config.testing.processes import Valkey, wait_until
from config.wakeup import MERGE_WINDOW, Waker


def waker_of(port: int) -> Waker:
    """A waker whose broker listens at ``port``, with the time-outs of the settings."""
    app = Celery("test", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    app.conf.update(
        broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        task_publish_retry_policy=settings.CELERY_TASK_PUBLISH_RETRY_POLICY,
    )
    return Waker(app)


def queued(valkey: Valkey) -> list[dict[str, Any]]:
    """Headers of the messages that wait for a worker."""
    with Redis(port=valkey.port) as client:
        return [json.loads(message)["headers"] for message in client.lrange("celery", 0, -1)]


def test_a_wake_up_becomes_one_message_for_its_task(valkey: Valkey) -> None:
    waker = waker_of(valkey.port)
    waker.wake("wecom.process_inbox")
    assert waker.flush()
    assert [headers["task"] for headers in queued(valkey)] == ["wecom.process_inbox"]


def test_a_burst_is_merged_and_its_last_call_is_not_lost(valkey: Valkey) -> None:
    waker = waker_of(valkey.port)
    started = time.monotonic()
    for _ in range(500):
        waker.wake("wecom.process_inbox")
    assert waker.flush()
    windows = (time.monotonic() - started) / MERGE_WINDOW
    assert 1 <= len(queued(valkey)) <= windows + 2


def test_the_request_id_goes_along(valkey: Valkey) -> None:
    waker = waker_of(valkey.port)
    with structlog.contextvars.bound_contextvars(request_id="r-42"):
        waker.wake("wecom.process_inbox")
    assert waker.flush()
    assert "r-42" in json.dumps(queued(valkey))


def test_an_early_wake_up_does_not_wait_for_a_late_one(valkey: Valkey) -> None:
    waker = waker_of(valkey.port)
    waker.wake("wecom.process_inbox", delay=600)
    waker.wake("wecom.process_inbox")
    wait_until(lambda: len(queued(valkey)) == 1)


@pytest.mark.timed
def test_a_frozen_broker_costs_the_caller_nothing(valkey: Valkey) -> None:
    waker = waker_of(valkey.port)
    valkey.freeze()
    try:
        started = time.monotonic()
        for _ in range(200):
            waker.wake("wecom.process_inbox")
        assert time.monotonic() - started < 0.5
    finally:
        valkey.thaw()


def test_without_a_broker_nothing_raises_and_later_wake_ups_arrive(valkey: Valkey, monkeypatch: Any) -> None:
    monkeypatch.setattr("config.wakeup.BROKER_REST", 0.0)
    waker = waker_of(valkey.port)
    valkey.kill()
    waker.wake("wecom.process_inbox")
    assert waker.flush(timeout=20)
    valkey.start()
    waker.wake("wecom.process_inbox")
    wait_until(lambda: queued(valkey))
