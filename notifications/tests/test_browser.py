"""In a real browser: the preview follows what is typed, under the content security policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from config.testing.admin_browser import Visitor
from notifications.models import MessageTemplate, Notification
from notifications.tests.conftest import TOLD, Told

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/admin/notifications/messagetemplate/"


@pytest.fixture
def visit(chromium_page: Any, live_server: Any) -> Callable[[str], Visitor]:
    user = User.objects.create_superuser("ada")

    def enter(language: str = "en") -> Visitor:
        return Visitor(chromium_page, live_server, user, language)

    return enter


@pytest.fixture
def template(templates: list[MessageTemplate]) -> MessageTemplate:
    return MessageTemplate.objects.get(event=TOLD, channel="email", language="en")


def test_the_preview_follows_what_is_typed(template: MessageTemplate, told: Told, visit: Any) -> None:
    told.facts = {"number": "P-2026-0042", "status": "shipped"}
    visitor = visit()
    visitor.go(f"{LIST}{template.pk}/change/")
    page, panel = visitor.page, visitor.page.locator("#template-preview")
    assert panel.locator("[data-part=body]").inner_text() == "P-2026-0042 is shipped"

    page.fill("#id_body", "Good news:\n{{ numbr }} has <b>left</b>.")
    panel.locator("[data-part=problems] li").wait_for()
    assert "Line 2, column 4" in panel.locator("[data-part=problems]").inner_text()
    assert panel.locator("[data-part=body]").inner_text() == "Good news:\n has <b>left</b>."

    page.fill("#id_subject", "News: ")
    page.locator("#id_subject").press("End")
    page.click("[data-insert='{{ number }}']")
    panel.get_by_text("News: P-2026-0042").wait_for()
    page.fill("#id_body", "All is well.")
    panel.locator("[data-part=problems]").wait_for(state="hidden")
    page.click("button[name=_save]")
    page.wait_for_url("**/messagetemplate/")
    template.refresh_from_db()
    assert (template.subject, template.body) == ("News: {{ number }}", "All is well.")
    assert visitor.complaints == []


def test_the_pages_of_messages_break_no_policy(template: MessageTemplate, visit: Any) -> None:
    row = Notification.objects.create(key="k", event=TOLD, channel="sms", address="1", language="en", body="x\ny")
    visitor = visit("zh-hans")
    for path in (LIST, "/admin/notifications/notification/", f"/admin/notifications/notification/{row.pk}/change/"):
        visitor.go(path)
        assert visitor.complaints == [], path
