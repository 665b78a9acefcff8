"""Nothing answers a stranger, except what is listed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config import throttling

OPEN = {
    "": "leads to the admin, which asks for a log-in",
    "health": "liveness, for probes",
    "health/ready": "readiness, for probes",
    "metrics": "for whom METRICS_TOKEN and METRICS_ALLOW let in; here, this machine",
    "wecom/callback": "WeCom signs its requests",
    "wecom/callback/": "the same, for proxies that add a slash",
    "wecom/callback/<slug:slug>": "the same, for one app",
    "wecom/callback/<slug:slug>/": "the same, for one app",
    "wecom/login": "the log-in with WeCom",
    "wecom/login/return": "the log-in with WeCom",
    "project/<str:remote_id>/": "leads to the page, which asks for a link",
    "project/<str:remote_id>/refresh": "leads to the page, which asks for a link",
    "project/<str:remote_id>/ask": "leads to the page, which asks for a link",
    "project/<str:remote_id>/language": "leads to the page, which asks for a link",
    "i18n/setlang/": "chooses the language of the log-in page",
    "m/": "leads to the list of approvals, which asks who somebody is",
    "admin/login/": "the log-in page",
    "admin/logout/": "ends nothing where nobody is logged in",
}
"""Path → why it may be open."""
VALUES = {"uuid": "0" * 32}
"""Converter → a value that it takes, where "1" will not do."""


def paths(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    for pattern in patterns or get_resolver().url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from paths(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def example(route: str) -> str:
    """A path that ``route`` matches."""
    return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda match: VALUES.get(match[1], "1"), route)


def is_closed(answer: Any) -> bool:
    return answer.status_code in (401, 403, 405) or "/admin/login/" in answer.headers.get("Location", "")


@pytest.mark.django_db
def test_only_the_listed_urls_answer_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling.AnonymousThrottle, "THROTTLE_RATES", {"anon": "10000/min"})
    client = Client()
    routes = {route for route in paths() if "(?P" not in route}  # the admin's catch-all sends everybody to the log-in
    answered = {
        f"{method} {route}"
        for route in routes
        for method in ("get", "post")
        if not is_closed(getattr(client, method)(example(route)))
    }
    assert {entry.split(" ", 1)[1] for entry in answered} - OPEN.keys() == set()
    assert OPEN.keys() <= routes
    assert {"api/quotes", "api/approvals/<int:pk>/approve", "api/schema", "admin/"} <= routes
    assert {"project/<str:remote_id>", "api/projects/<str:id>", "api/projects/sync"} <= routes
