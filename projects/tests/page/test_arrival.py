"""A link is opened: its token goes into a cookie of that page alone, and out of the address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from projects import access_log
from projects.models import AccessOutcome, ProjectAccessLog, ProjectAccessToken, ProjectCache
from projects.page.visitors import COOKIE
from projects.tests.page.browserless import Phone
from projects.tokens import Issued, issue, revoke


def arrive(client: Client, remote_id: str, token: str) -> Any:
    return client.get(f"/project/{remote_id}", {"token": token})


def test_a_good_link_moves_into_the_cookie(client: Client, link: Issued):
    answer = arrive(client, "SO-1", link.token)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/project/SO-1")
    cookie = answer.cookies[COOKIE]
    assert cookie.value == link.token
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["secure"]) == (
        "/project/SO-1",
        True,
        "Lax",
        "",
    )
    left = link.row.expires_at - timezone.now()
    assert abs(cookie["max-age"] - left.total_seconds()) < 5


def test_over_https_the_cookie_stays_there(client: Client, link: Issued, settings: Any):
    settings.HTTPS_ONLY = True
    assert arrive(client, "SO-1", link.token).cookies[COOKIE]["secure"] is True


def test_the_printed_address_opens_the_page(link: Issued):
    phone = Phone()
    answer = phone.open(link.url)
    assert (answer.status_code, answer.redirect_chain) == (200, [("/project/SO-1", 302)])
    assert "token" not in answer.request["QUERY_STRING"]
    assert link.token not in answer.content.decode()


def test_a_slash_behind_the_address_does_no_harm(link: Issued, expired: Issued):
    for token, status in ((link.token, 200), (expired.token, 401)):
        answer = Phone().open(link.url.replace(f"?token={link.token}", f"/?token={token}"))
        assert (answer.status_code, answer.redirect_chain) == (status, [("/project/SO-1", 302)])
        assert answer.client.cookies[COOKIE]["path"] == "/project/SO-1"
        assert token not in answer.content.decode()


@pytest.mark.django_db
def test_a_slash_without_a_token_leads_to_the_page(client: Client):
    answer = client.get("/project/SO-1/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/project/SO-1")
    assert COOKIE not in answer.cookies
    refused = client.get("/project/SO-1/", {"token": "garbage"})
    assert (refused.status_code, refused.headers["Referrer-Policy"]) == (401, "no-referrer")
    assert client.post("/project/SO-1/").status_code == 405


def test_an_expired_link_leaves_the_address_too(client: Client, expired: Issued):
    answer = arrive(client, "SO-1", expired.token)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/project/SO-1")
    assert answer.cookies[COOKIE].value == expired.token
    assert answer.cookies[COOKIE]["max-age"] == ""
    assert client.get("/project/SO-1").status_code == 401


def test_a_withdrawn_link_leaves_the_address_too(client: Client, link: Issued):
    revoke(ProjectAccessToken.objects.filter(pk=link.row.pk), None)
    assert arrive(client, "SO-1", link.token).status_code == 302
    assert client.get("/project/SO-1").status_code == 403


def test_a_link_of_another_project_opens_nothing(client: Client, link: Issued, copied: Callable[..., ProjectCache]):
    copied(id="SO-2", title="另一个项目")
    assert arrive(client, "SO-2", link.token).headers["Location"] == "/project/SO-2"
    answer = client.get("/project/SO-2")
    assert answer.status_code == 403
    assert "另一个项目" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "x" * 5000, "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_refused_and_not_kept(client: Client, token: str):
    answer = arrive(client, "SO-1", token)
    assert answer.status_code == 401
    assert COOKIE not in answer.cookies


@pytest.mark.django_db
def test_without_a_link_nobody_learns_whether_a_project_exists(client: Client, project: ProjectCache):
    known, unknown = client.get("/project/SO-1"), client.get("/project/SO-9")
    assert known.status_code == unknown.status_code == 401
    assert known.content.replace(b"SO-1", b"SO-9").count(b"SO-9") == unknown.content.count(b"SO-9")
    assert project.title not in known.content.decode()


def test_an_old_link_does_not_push_out_a_good_one(client: Client, link: Issued, expired: Issued):
    arrive(client, "SO-1", link.token)
    for old in (expired.token, "cut-off"):
        answer = arrive(client, "SO-1", old)
        assert (answer.status_code, COOKIE in answer.cookies) == (302, False)
    assert client.get("/project/SO-1").status_code == 200


def test_every_project_has_a_cookie_of_its_own(link: Issued, copied: Callable[..., ProjectCache]):
    other = issue(copied(id="SO-10", title="另一个"), user_id="C1", user_name="王芳", access_type="customer")
    client = Client()
    paths = {
        arrive(client, issued.row.project.remote_id, issued.token).cookies[COOKIE]["path"] for issued in (link, other)
    }
    assert paths == {"/project/SO-1", "/project/SO-10"}


@pytest.mark.parametrize("remote_id", ["售后 7号", "a;b=c", "50%", "a?b#c", "x" * 100])
def test_ids_of_all_kinds_have_an_address(remote_id: str, copied: Callable[..., ProjectCache]):
    issued = issue(copied(id=remote_id), user_id="C1", user_name="王芳", access_type="customer")
    answer = Phone().open(issued.url)
    assert answer.status_code == 200
    path = answer.client.cookies[COOKIE]["path"]
    assert path == answer.redirect_chain[0][0]
    assert path.isascii() and not set("; ,?#") & set(path)


def test_a_look_is_counted_once(link: Issued):
    phone = Phone()
    phone.open(link.url)
    access_log.flush()
    rows = ProjectAccessLog.objects.values_list("door", "outcome", "token")
    assert list(rows) == [("page", AccessOutcome.ALLOWED, link.row.pk)]
    assert ProjectAccessToken.objects.get(pk=link.row.pk).use_count == 1


def test_refusals_are_logged_with_their_reason(expired: Issued, client: Client):
    client.get("/project/SO-1")
    arrive(client, "SO-1", expired.token)
    outcomes = ProjectAccessLog.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == [AccessOutcome.INVALID, AccessOutcome.EXPIRED]


def test_the_cookie_ends_with_the_link(link: Issued, client: Client):
    arrive(client, "SO-1", link.token)
    ProjectAccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get("/project/SO-1").status_code == 401
