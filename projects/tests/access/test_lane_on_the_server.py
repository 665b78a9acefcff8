"""Links as the web server answers them, before Django: the very answers of the middleware, and what surrounds them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from config.testing.processes import Stack, Web, wait_until
from projects.models import ProjectAccessLog, ProjectCache, RemoteSource, Role
from projects.sync.apply import apply_one
from projects.tests.access.conftest import ITEM
from projects.tokens import Issued, issue, revoke

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OF_THE_SERVER = {"date", "server", "transfer-encoding"}


def asked(web: Web, path: str, method: str = "GET", **headers: str) -> requests.Response:
    session = requests.Session()
    session.headers.clear()
    return session.request(method, web.url + path, headers=headers, timeout=20, allow_redirects=False)


def same(web: Web, path: str, method: str = "GET", **headers: str) -> requests.Response:
    """What the server answers, which is what Django's handler answers."""
    given = asked(web, path, method, **headers)
    expected: Any = Client().generic(method, path, headers=headers)
    assert (given.status_code, given.content) == (expected.status_code, expected.content), path
    headers_given = {name.lower(): value for name, value in given.headers.items()}
    headers_expected = {name.lower(): value for name, value in expected.headers.items()}
    for name in OF_THE_SERVER:
        headers_given.pop(name, None)
    assert headers_given == headers_expected, path
    return given


def test_every_answer_is_the_one_of_the_middleware(
    stack: Stack, project: ProjectCache, link: Issued, engineers_link: Issued
) -> None:
    web = stack.web()
    revoked = issue(project, user_id="C-18", user_name="李娜", access_type=Role.CUSTOMER)
    revoke(type(revoked.row).objects.filter(pk=revoked.row.pk), None)
    statuses = {
        f"P-1001?token={link.token}": 200,
        f"P-1001?token={engineers_link.token}": 200,
        f"P-1001?token={link.token}&use_cache=maybe": 400,
        f"P-1001?token={revoked.token}": 403,
        f"P-2002?token={link.token}": 403,
        "P-1001?token=": 401,
        f"P-1001/verify-access?token={link.token}": 200,
        "P-1001/verify-access?token=x": 401,
    }
    for path, status in statuses.items():
        for language in ("en", "zh-CN", "fr"):
            answer = same(web, f"/api/projects/{path}", **{"Accept-Language": language})
            assert answer.status_code == status
            assert "Vary" not in answer.headers
    chosen = same(web, "/api/projects/P-1001?token=x", **{"Accept-Language": "fr", "Cookie": "django_language=en"})
    assert chosen.json()["detail"] == "This link is not valid."


def test_a_project_is_found_whatever_its_number_is_written_in(stack: Stack, source: RemoteSource) -> None:
    name = "项目-七"
    copy = apply_one(source, ITEM | {"id": name}, now=timezone.now())
    token = issue(copy, user_id="C-17", user_name="王芳", access_type=Role.CUSTOMER).token
    answer = same(stack.web(), f"/api/projects/{quote(name)}?token={token}")
    assert answer.json()["project"]["id"] == name


def test_everything_else_is_djangos(stack: Stack, link: Issued) -> None:
    web = stack.web()
    token = f"token={link.token}"
    for method, path in (
        ("POST", f"P-1001?{token}"),
        ("HEAD", f"P-1001?{token}"),
        ("OPTIONS", f"P-1001?{token}"),
        ("GET", f"sync?{token}"),
        ("GET", f"P-1001/links?{token}"),
        ("GET", "P-1001?mytoken=x"),
    ):
        answer = asked(web, f"/api/projects/{path}", method)
        assert answer.status_code in (401, 405)
        assert "Vary" in answer.headers
        # and it has its line in the log, which a link's answer has not
        line = f'"request": "{method} /api/projects/{path.partition("=")[0]}='
        wait_until(lambda line=line: line in web.process.output, message=line)  # type: ignore[misc]
    assert link.token not in web.process.output


def test_who_looked_is_logged_behind_a_proxy_and_over_https(stack: Stack, link: Issued) -> None:
    web = stack.web(BEHIND_PROXY="true", HTTPS_ONLY="true")
    path = f"/api/projects/P-1001?token={link.token}"
    proxied = {"X-Forwarded-For": "1.1.1.1, 203.0.113.7", "User-Agent": "curl/8", "Host": "localhost"}
    plain = asked(web, path, **proxied, **{"X-Forwarded-Proto": "http"})
    assert (plain.status_code, plain.headers["Location"]) == (301, f"https://localhost{path}")
    answer = asked(web, path, **proxied, **{"X-Forwarded-Proto": "https"})
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    entry = wait_until(ProjectAccessLog.objects.first, message="the look is written")
    assert (entry.address, entry.agent, entry.door, entry.token_id) == ("203.0.113.7", "curl/8", "api", link.row.pk)
    assert link.token not in web.process.output
    connections.close_all()


def test_a_database_that_is_away_is_told_as_such(stack: Stack, link: Issued) -> None:
    web = stack.web(DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")
    answer = asked(web, f"/api/projects/P-1001?token={link.token}", **{"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert '"link_not_answered"' in web.process.output


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="a server that can be restarted")
def test_connections_that_the_database_has_closed_are_replaced(stack: Stack, link: Issued) -> None:
    web = stack.web(threads=2)
    path = f"/api/projects/P-1001?token={link.token}"
    assert asked(web, path).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    assert [asked(web, path).status_code for _ in range(4)] == [200] * 4
