"""In a real browser: a run from its question to its end, a preview, and no page that breaks the content policy."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from config.testing.admin_browser import Visitor
from wecom.client import for_config
from wecom.directory_sync import previews, runs
from wecom.models import DirectorySyncRun, Member, WeComConfig
from wecom.tests.directory.company import Company
from wecom.tests.peers import Peer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visit(chromium_page: Any, live_server: Any) -> Callable[..., Visitor]:
    return lambda user, language="en": Visitor(chromium_page, live_server, user, language)


def shoot(page: Any, name: str) -> None:
    """A picture for people, where they ask for it."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.fixture
def company(peer: Peer) -> Company:
    found = Company()
    found.department(2, name="销售部")
    found.have(12, 1, 2)
    found.serve(peer)
    return found


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_run_from_its_question_to_its_end(
    config: WeComConfig, company: Company, admin_user: User, visit: Callable[..., Visitor], language: str
) -> None:
    visitor = visit(admin_user, language)
    page = visitor.page
    visitor.go(reverse("admin:wecom_directorysyncrun_synchronise"))
    page.wait_for_selector("#expected table")
    assert page.locator("#expected tbody tr").count() == 4
    shoot(page, f"synchronise-{language}")
    page.select_option("#id_sync_type", "department")
    page.click("form:has(#id_sync_type) button[type=submit]:not([name=preview])")
    page.wait_for_selector("#progress[data-open=true]")
    shoot(page, f"run-waits-{language}")
    assert runs.run_due() == 1
    page.wait_for_selector("#progress[data-open=false]")
    assert page.locator("[data-part=percent]").inner_text() == "100 %"
    assert page.locator("[data-part=message]").inner_text() == DirectorySyncRun.objects.get().message
    shoot(page, f"run-done-{language}")
    assert visitor.complaints == []


def test_a_preview_is_followed_to_its_difference(
    config: WeComConfig, company: Company, admin_user: User, visit: Callable[..., Visitor]
) -> None:
    runs.run(runs.open_run(config, "department"))
    runs.run(runs.open_run(config, "user"))
    company.remove(*[f"u{n:03d}" for n in range(11)])
    company.member("new.one", name="新人")
    visitor = visit(admin_user)
    page = visitor.page
    visitor.go(reverse("admin:wecom_directorysyncrun_synchronise"))
    page.select_option("#id_sync_type", "user")
    page.click("form:has(#id_sync_type) button[name=preview]")
    page.wait_for_selector("#progress[data-open=true]")
    assert previews.make_due() == 1
    page.wait_for_selector("#progress[data-open=false]")
    shoot(page, "preview")
    text = page.inner_text("body")
    assert "新人" in text
    assert "WeCom no longer lists 11 of 12" in text
    assert Member.objects.current().count() == 12
    assert visitor.complaints == []


def test_pages_break_no_policy(
    rows: dict[str, Any], lena: User, config: WeComConfig, admin_user: User, visit: Callable[..., Visitor]
) -> None:
    Member.objects.filter(pk=rows["member"].pk).update(suggested_user=lena)
    client = for_config(config)
    client.tokens.get()
    for _call in range(5):
        client.budget.take("user/list", "bulk")
    client.budget.pause("oa/applyevent", 60)
    visitor = visit(admin_user, "zh-hans")
    for model in ("department", "member", "externalcontact", "taggroup", "directorysyncrun"):
        for name, url in (
            (f"list-{model}", reverse(f"admin:wecom_{model}_changelist")),
            (f"page-{model}", reverse(f"admin:wecom_{model}_change", args=[rows[model].pk])),
        ):
            visitor.go(url)
            shoot(visitor.page, name)
            assert visitor.complaints == [], url
    for name, url in (
        ("quota", reverse("admin:wecom_directorysyncrun_quota")),
        ("confirm", reverse("admin:wecom_member_confirm_suggestion_page", args=[rows["member"].pk])),
        ("index", "/admin/"),
    ):
        visitor.go(url)
        shoot(visitor.page, name)
        assert visitor.complaints == [], url
