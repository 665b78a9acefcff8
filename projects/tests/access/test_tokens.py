"""Making and revoking links."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import StringIO
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from projects.models import ProjectAccessToken, ProjectCache, RemoteSource, Role
from projects.tests.access.conftest import ITEM, Read
from projects.tokens import Issued, issue, revoke
from wecom.tests.peers import Peer, Raw, refused_url

pytestmark = pytest.mark.django_db


def test_only_a_digest_is_stored(link: Issued) -> None:
    row = ProjectAccessToken.objects.values().get()
    assert row["digest"] == hashlib.sha256(link.token.encode()).hexdigest()
    assert not any(link.token in str(value) or link.token.rpartition(".")[2] in str(value) for value in row.values())


def test_a_token_says_who_what_and_until_when(link: Issued, settings: Any) -> None:
    claims = jwt.decode(link.token, settings.PROJECT_TOKEN_KEYS[0], algorithms=["HS256"])
    assert claims.keys() == {"jti", "project", "sub", "role", "iat", "exp"}
    assert (claims["project"], claims["sub"], claims["role"]) == ("P-1001", "C-17", "customer")
    assert claims["exp"] == link.row.expires_at.timestamp()
    assert jwt.get_unverified_header(link.token).keys() == {"alg", "kid", "typ"}


def test_two_links_of_one_person_differ(link: Issued, project: ProjectCache) -> None:
    again = issue(project, user_id="C-17", user_name="王芳", access_type=Role.CUSTOMER)
    assert again.token != link.token


def test_the_address_is_the_page(link: Issued, project: ProjectCache, settings: Any) -> None:
    assert link.url == f"{settings.API_BASE_URL}/project/P-1001?token={link.token}"
    project.remote_id = "甲/1 ?"
    strange = issue(project, user_id="C-17", user_name="王芳", access_type=Role.CUSTOMER)
    assert "/project/%E7%94%B2%2F1%20%3F?token=" in strange.url


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"access_type": "thief"}, "access_type"),
        ({"user_id": " "}, "user_id"),
        ({"user_name": "x" * 101}, "user_name"),
    ],
)
def test_what_makes_no_link_is_refused_by_field(change: dict[str, Any], field: str, project: ProjectCache) -> None:
    given: dict[str, Any] = {"user_id": "C-17", "user_name": "王芳", "access_type": Role.CUSTOMER, "days": 7} | change
    with pytest.raises(ValidationError) as refused:
        issue(project, **given)
    assert list(refused.value.message_dict) == [field]
    assert not ProjectAccessToken.objects.exists()


def test_revoking_counts_and_keeps_who_did_it_first(link: Issued, read: Read) -> None:
    ada, bob = (User.objects.create_user(name) for name in ("ada", "bob"))
    assert revoke(ProjectAccessToken.objects.all(), ada) == 1
    assert revoke(ProjectAccessToken.objects.all(), bob) == 0
    link.row.refresh_from_db()
    assert link.row.revoked_by == ada
    assert read(link.token).json()["code"] == "token_revoked"


# --- the command ------------------------------------------------------------------------------------------------------


def command(project: str, *more: str) -> list[str]:
    out = StringIO()
    call_command(
        "issue_project_token", project, "--user-id=C-17", "--user-name=王芳", "--user-type=customer", *more, stdout=out
    )
    return out.getvalue().split()


def test_the_command_prints_the_link_and_the_token(project: ProjectCache, read: Read) -> None:
    url, token = command("P-1001", "--days=3")
    assert url.endswith(f"/project/P-1001?token={token}")
    assert read(token).status_code == 200
    left = ProjectAccessToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=2, hours=23) < left <= timedelta(days=3)


def test_the_command_fetches_a_project_that_is_not_here_yet(source: RemoteSource, library: Peer, read: Read) -> None:
    library.answer("/projects/P-7", ITEM | {"id": "P-7"})
    _url, token = command("P-7")
    assert read(token, "P-7").status_code == 200


def test_the_command_says_what_stands_in_the_way(project: ProjectCache, library: Peer) -> None:
    library.answer("/projects/P-7", Raw(404))
    with pytest.raises(CommandError, match="P-7"):
        command("P-7")
    with pytest.raises(CommandError, match="365"):
        command("P-1001", "--days=1000")
    RemoteSource.objects.update(base_url=refused_url())
    with pytest.raises(CommandError, match="无法连接项目库"):
        command("P-8")
