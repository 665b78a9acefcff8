"""In a real browser: the pages obey the content security policy, and the scripts of our own do their work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from approvals.chain import everybody, read
from approvals.models import ApprovalInstance, ApprovalRule
from config.testing.admin_browser import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visit(chromium_page: Any, live_server: Any) -> Callable[[User], Visitor]:
    return lambda user: Visitor(chromium_page, live_server, user)


def test_pages_raise_no_error_and_break_no_policy(
    submitted: Callable[..., ApprovalInstance], ada: User, visit: Callable[[User], Visitor]
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    visitor = visit(ada)
    for path in (
        "/admin/",
        "/admin/approvals/quote/",
        "/admin/approvals/quote/add/",
        reverse("admin:approvals_quote_change", args=[instance.quote_id]),
        reverse("admin:approvals_quote_approve_page", args=[instance.quote_id]),
        reverse("admin:approvals_approvalinstance_change", args=[instance.pk]),
        reverse("admin:approvals_approvalinstance_delegate_page", args=[instance.pk]),
        "/admin/approvals/approvalrule/add/",
        reverse("admin:wecom_wecomconfig_change", args=[instance.config_id]),
    ):
        visitor.go(path)
        assert visitor.complaints == [], path


def test_approvers_are_kept_in_the_order_they_were_chosen(wang: User, zhao: User, ada: User, visit: Any) -> None:
    visitor = visit(ada)
    visitor.go("/admin/approvals/approvalrule/add/")
    page = visitor.page
    page.fill("#id_name", "Large")
    search = page.locator("#id_step_1 + .select2 .select2-search__field")
    for typed in ("Zhao", "typed.one", "Wang"):
        search.click()
        search.type(typed)
        page.keyboard.press("Enter")
    page.click("button[name=_save]")
    page.wait_for_url("**/approvalrule/")
    assert everybody(read(ApprovalRule.objects.get().chain)) == ["zhao.vp", "typed.one", "wang.boss"]


def test_the_button_of_the_truth_panel_acts_and_reports(
    standin: Any, submitted: Callable[..., ApprovalInstance], ada: User, visit: Callable[[User], Visitor]
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="no-such-number")
    visitor = visit(ada)
    visitor.go(reverse("admin:approvals_quote_change", args=[instance.quote_id]))
    visitor.page.click(".qb-truth button:has-text('Sync now')")
    assert "errcode" in visitor.page.locator(".errornote").first.inner_text()
