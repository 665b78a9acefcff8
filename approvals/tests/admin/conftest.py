"""The admin as people use it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from redis import Redis

from approvals.tests.traffic.conftest import standin, template
from config.testing.admin_browser import Browser, logged_in

__all__ = ["Browser", "standin", "template"]


@pytest.fixture
def log_in() -> Callable[..., Browser]:
    return logged_in


@pytest.fixture
def asked_of_workers() -> Callable[[], list[str]]:
    """Arguments, as text, of every comparison of chosen approvals that waits for a worker."""

    def read() -> list[str]:
        with Redis.from_url(os.environ["REDIS_URL"]) as redis:
            headers = [json.loads(raw)["headers"] for raw in redis.lrange("celery", 0, -1)]  # type: ignore[union-attr]
        return [entry["kwargsrepr"] for entry in headers if "ids" in entry["kwargsrepr"]]

    return read
