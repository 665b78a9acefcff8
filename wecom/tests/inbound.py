"""What tests of the way in share: an app with the vectors' credentials, deliveries to its address, a lost database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.dispatch import Signal
from django.http import HttpResponse
from django.test import Client

from wecom.crypto import CallbackCrypto
from wecom.models import WeComConfig
from wecom.tests.vectors import AES_KEY, CORP_ID, TOKEN, signed


def make_config(slug: str = "default", **fields: Any) -> WeComConfig:
    """A saved app that reads the vectors' callbacks."""
    values = {
        "name": slug,
        "corp_id": CORP_ID,
        "agent_id": 1000042,
        "secret": "app-secret",
        "callback_token": TOKEN,
        "encoding_aes_key": AES_KEY,
        "is_default": slug == "default",
    }
    return WeComConfig.objects.create(slug=slug, **{**values, **fields})


def delivery(message: str | bytes, *, by: CallbackCrypto | None = None, age: float = 0) -> tuple[dict[str, str], bytes]:
    """Query and body of a callback sent ``age`` seconds ago."""
    return signed(message, timestamp=str(int(time.time() - age)), by=by)


def deliver(
    message: str | bytes, *, path: str = "/wecom/callback", by: CallbackCrypto | None = None, age: float = 0
) -> HttpResponse:
    """POST one callback as WeCom does, with CSRF checks on."""
    query, body = delivery(message, by=by, age=age)
    return post(body, query, path=path)


def post(body: bytes, query: dict[str, str], *, path: str = "/wecom/callback", **headers: Any) -> HttpResponse:
    client = Client(enforce_csrf_checks=True)
    response: HttpResponse = client.generic("POST", f"{path}?{urlencode(query)}", body, "text/xml", **headers)  # type: ignore[assignment]
    return response


@contextmanager
def only_listener(signal: Signal, listener: Callable[..., Any] | None) -> Iterator[None]:
    """For the length of the block nobody but ``listener`` hears ``signal``; the apps' own listeners are put back."""
    receivers = signal.receivers
    signal.receivers = []
    signal.sender_receivers_cache.clear()
    if listener is not None:
        signal.connect(listener)
    try:
        yield
    finally:
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


@contextmanager
def database_away() -> Iterator[None]:
    """No connection can be made from this thread (use ``transactional_db``)."""
    usual = {name: connection.settings_dict[name] for name in ("NAME", "PORT")}
    connection.close()
    connection.settings_dict.update(NAME="/nonexistent/folder/database", PORT="1")
    try:
        yield
    finally:
        connection.settings_dict.update(usual)
        connection.close()
