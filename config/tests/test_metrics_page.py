"""Who may read /metrics, and that everybody else sees nothing there."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

TOKEN = "a token that is long enough to be one"
ELSEWHERE = "203.0.113.9"


@pytest.fixture(autouse=True)
def _nothing_to_tell(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("config.metrics_page.collect", list)


def status(client: Client, address: str, **more: Any) -> int:
    return client.get("/metrics", REMOTE_ADDR=address, **more).status_code


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), (ELSEWHERE, 404), ("10.0.0.1", 404), ("", 404)],
)
def test_without_settings_only_this_machine_reads_it(client: Client, address: str, expected: int):
    assert status(client, address) == expected


def test_a_token_opens_it_from_anywhere_and_nothing_else_does(client: Client, settings: Any):
    settings.METRICS_TOKEN = TOKEN
    assert status(client, ELSEWHERE, headers={"Authorization": f"Bearer {TOKEN}"}) == 200
    for told in (
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Token {TOKEN}",
        TOKEN,
        "Bearer é",
    ):
        assert status(client, ELSEWHERE, headers={"Authorization": told}) == 404
    assert status(client, "127.0.0.1") == 404


def test_an_empty_token_is_no_token(client: Client):
    assert status(client, ELSEWHERE, headers={"Authorization": "Bearer "}) == 404


def test_networks_are_let_in_beside_the_token(client: Client, settings: Any):
    settings.METRICS_TOKEN, settings.METRICS_ALLOW = TOKEN, [ip_network("10.1.0.0/16"), ip_network("2001:db8::/32")]
    assert status(client, "10.1.2.3") == status(client, "2001:db8::7") == status(client, "::ffff:10.1.2.3") == 200
    assert status(client, "10.2.0.1") == status(client, "127.0.0.1") == 404
    assert status(client, ELSEWHERE, headers={"Authorization": f"Bearer {TOKEN}"}) == 200


def test_what_a_proxy_says_counts_when_the_settings_know_it(client: Client, settings: Any):
    settings.BEHIND_PROXY = True
    assert status(client, "127.0.0.1", headers={"X-Forwarded-For": ELSEWHERE}) == 404
    assert status(client, "127.0.0.1", headers={"X-Forwarded-For": f"127.0.0.1, {ELSEWHERE}"}) == 404
    assert status(client, "172.16.0.2", headers={"X-Forwarded-For": "127.0.0.1"}) == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_the_world_behind_an_unknown_proxy_is_not_this_machine(client: Client, header: str):
    assert status(client, "127.0.0.1", headers={header: "127.0.0.1"}) == 404


def test_strangers_learn_nothing_from_any_method(client: Client):
    for method in ("get", "head", "post", "put", "delete", "options"):
        assert getattr(client, method)("/metrics", REMOTE_ADDR=ELSEWHERE).status_code == 404


def test_only_reading_is_allowed(client: Client):
    assert client.post("/metrics").status_code == 405
    assert client.head("/metrics").status_code == 200


def test_it_is_the_text_format_and_nobody_keeps_it(client: Client):
    response = client.get("/metrics", headers={"host": "10.0.0.7:8000"})  # Prometheus knows addresses, not names
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in response.headers["Cache-Control"]
