"""The API pages and the error pages ask no outside host for anything; the sidebar shows what somebody may see."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.template import loader
from django.test import Client
from django.utils import translation

from config.testing.processes import Stack


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_api_pages_need_a_log_in_and_send_there(client: Client, path: str):
    response = client.get(path)
    assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc", "/api/docs?script="])
def test_api_pages_name_no_outside_host(admin_client: Client, path: str):
    response = admin_client.get(path)
    assert response.status_code == 200
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s\"'<>)]+", response.content.decode())}
    assert hosts == set()


@pytest.mark.django_db
def test_the_admin_is_found_without_its_slash(client: Client):
    assert client.get("/admin").headers["Location"] == "/admin/"


@pytest.mark.django_db
def test_the_schema_is_openapi_3_1(admin_client: Client):
    text = admin_client.get("/api/schema").content.decode()
    assert text.startswith("openapi: 3.1.0")


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500", "503", "locked_out"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_error_pages_need_nothing_but_themselves(name: str, language: str):
    with translation.override(language):
        text = loader.get_template(f"{name}.html").render()
    assert f'lang="{language}"' in text
    assert "http" not in text
    assert "<h1></h1>" not in text


@pytest.mark.django_db
def test_the_sidebar_shows_only_what_somebody_may_see(client: Client):
    person = User.objects.create_user("clerk", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_periodictask"))
    client.force_login(person)
    navigation = client.get("/admin/").context["sidebar_navigation"]
    links = [item["link"] for group in navigation for item in group["items"]]
    assert links == ["/admin/django_celery_beat/periodictask/"]


CONFLICTS = "/admin/approvals/approvalinstance/?conflict__exact=1"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rights", "shown"),
    [
        (["view_approvalinstance", "close_conflict"], True),
        (["view_approvalinstance", "view_all_quotes"], True),
        (["view_approvalinstance", "submit_quote"], False),
        (["close_conflict"], False),
    ],
    ids=str,
)
def test_conflicts_are_one_click_away_for_who_looks_after_them(client: Client, rights: list[str], shown: bool):
    person = User.objects.create_user("clerk", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(person)

    def active(url: str) -> dict[str, bool]:
        navigation = client.get(url).context["sidebar_navigation"]
        return {item["link"]: item["active"] for group in navigation for item in group["items"]}

    links = active("/admin/password_change/")
    assert (CONFLICTS in links) is shown
    if shown:
        assert not links[CONFLICTS]
        assert active(CONFLICTS)[CONFLICTS]
        assert not active("/admin/approvals/approvalinstance/")[CONFLICTS]


@pytest.mark.browser
@pytest.mark.slow
def test_in_a_browser_no_page_asks_outside_or_breaks_the_content_policy(
    stack: Stack, chromium_page: Any, client: Client
):
    admin = User.objects.create_superuser("browser-admin")
    client.force_login(admin)
    web = stack.web()
    chromium_page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": web.url}]
    )
    outside: list[str] = []
    refused: list[str] = []
    chromium_page.on(
        "request", lambda request: outside.append(request.url) if not _ours(request.url, web.port) else None
    )
    chromium_page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    chromium_page.on("console", lambda line: refused.append(line.text) if line.type == "error" else None)

    shows = {
        "/api/docs": ".swagger-ui .info .title",
        "/api/redoc": "[data-section-id], h1",
        "/admin/": "text=browser-admin",
        "/admin/auth/user/": "text=browser-admin",
        "/admin/auth/user/add/": "[name=username]",
        "/admin/django_celery_beat/periodictask/": "#result_list, [data-simplebar], table",
        "/admin/django_celery_beat/periodictask/add/": "select[name=task]",
        "/admin/django_celery_beat/crontabschedule/add/": "[name=minute]",
        "/admin/knox/authtoken/": "h1, h2, main",
        "/admin/axes/accessattempt/": "h1, h2, main",
    }
    for path, selector in shows.items():
        answer = chromium_page.goto(web.url + path)
        assert answer.status == 200, path
        chromium_page.locator(selector).first.wait_for(state="attached", timeout=20_000)
    assert (outside, refused) == ([], [])


def _ours(url: str, port: int) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or (parts.hostname == "127.0.0.1" and parts.port == port)
