"""Clients that log in as scripts do, with a token, and what they send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken
from rest_framework.test import APIClient

NEW_QUOTE: dict[str, Any] = {
    "title": "三号车间水泵",
    "customer_name": "华东机电",
    "contact": "王工",
    "phone": "13800138000",
    "currency": "CNY",
    "valid_until": "2026-12-31",
    "remark": "",
    "items": [
        {"name": "Pump X1", "specification": "DN50", "quantity": "3", "unit_price": "1200.50"},
        {"name": "Seal", "quantity": "2.5", "unit_price": "9.99"},
    ],
}


def client_of(user: User) -> APIClient:
    _row, token = AuthToken.objects.create(user)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


@pytest.fixture
def api() -> Callable[[User], APIClient]:
    return client_of
