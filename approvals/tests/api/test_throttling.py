"""Too many requests: 429, for the one who sends them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.throttling import SimpleRateThrottle

from approvals.tests.api.conftest import client_of


@pytest.fixture(autouse=True)
def two_per_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"user": "2/min", "anon": "2/min"})


def test_the_third_request_is_told_when_to_come_back(li: User, wang: User) -> None:
    statuses = [client_of(li).get("/api/quotes").status_code for _ in range(2)]  # two tokens, one person
    refused = client_of(li).post("/api/quotes", {})
    assert statuses == [200, 200]
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert 0 < int(refused["Retry-After"]) <= 60
    assert client_of(wang).get("/api/quotes").status_code == 200
