"""In a browser, with the stand-in's pages: the button, the QR code, and the silent way inside WeCom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from config.testing.ports import reserved_port
from config.testing.processes import Stack, Web
from wecom.models import Member, WeComConfig
from wecom.tests.conftest import CANARY_SECRET
from wecom.tests.login.conftest import WXWORK

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def site(stack: Stack) -> Web:
    """A web server and a stand-in; Li is staff, Chen is known and linked to nobody."""
    port = reserved_port()
    stack.environment |= {
        "API_BASE_URL": f"http://localhost:{port}",
        "WECOM_CORP_ID": "wwcorp",
        "WECOM_AGENT_ID": "1000002",
        "WECOM_SECRET": CANARY_SECRET,
        "WECOM_CALLBACK_TOKEN": "CallbackToken2026",
        "WECOM_ENCODING_AES_KEY": "q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
    }
    stack.standin(callback_url=f"http://127.0.0.1:{port}/wecom/callback")
    config = WeComConfig.objects.create(
        slug="default", name="WeCom", corp_id="wwcorp", agent_id=1000002, secret=CANARY_SECRET, is_default=True
    )
    user = User.objects.create_user("li", first_name="李梅", is_staff=True)
    Member.objects.create(config=config, userid="li.mei", name="李梅", user=user)
    Member.objects.create(config=config, userid="chen.yu", name="陈宇")
    web = stack.web(port=port)
    web.url = f"http://localhost:{port}"
    return web


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def desk(chromium_page: Any, complaints: list[str]) -> Any:
    return watched(chromium_page, complaints)


@pytest.fixture
def phone(chromium: Any, complaints: list[str]) -> Iterator[Any]:
    """WeCom's own browser."""
    context = chromium.new_context(
        user_agent=WXWORK,
        locale="zh-CN",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    yield watched(context.new_page(), complaints)
    context.close()


def watched(page: Any, complaints: list[str]) -> Any:
    page.set_default_timeout(10_000)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def test_from_the_log_in_page_over_the_qr_code_to_the_dashboard(
    site: Web, desk: Any, complaints: list[str], stack: Stack
):
    desk.goto(f"{site.url.replace('localhost', '127.0.0.1')}/admin/")  # not where WeCom sends back to
    desk.click("#wecom-login a")
    desk.wait_for_url("**/wwlogin/sso/login?**")
    expect(desk.get_by_role("img")).to_be_visible()
    desk.click("button[value='li.mei']")
    desk.wait_for_url(f"{site.url}/admin/")
    assert "李梅" in desk.inner_text("body")
    assert complaints == []
    logged = site.process.output
    assert '"outcome": "logged_in"' in logged
    assert "code=******&state=******" in logged
    assert CANARY_SECRET not in logged


def test_inside_wecom_only_the_person_is_chosen(site: Web, phone: Any, complaints: list[str]):
    phone.goto(f"{site.url}/admin/password_change/")
    phone.wait_for_url("**/connect/oauth2/authorize?**#wechat_redirect")
    phone.click("button[value='li.mei']")
    phone.wait_for_url(f"{site.url}/admin/password_change/")
    assert complaints == []


def test_a_form_that_was_sent_after_the_session_ended_leads_on_to_wecom(site: Web, phone: Any, complaints: list[str]):
    """The content policy would stop the way from a form to another host."""
    phone.goto(f"{site.url}/admin/password_change/")
    phone.click("button[value='li.mei']")
    phone.wait_for_url(f"{site.url}/admin/password_change/")
    phone.context.clear_cookies(name="sessionid")
    phone.fill("[name=old_password]", "x")
    phone.press("[name=old_password]", "Enter")
    phone.wait_for_url("**/connect/oauth2/authorize?**")
    assert complaints == []


def test_whoever_is_not_linked_is_told_so_and_can_use_a_password(site: Web, phone: Any, desk: Any):
    phone.goto(f"{site.url}/admin/")
    phone.click("button[value='chen.yu']")
    expect(phone.get_by_role("heading")).to_be_visible()
    assert "chen.yu" in phone.inner_text("main")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.click("a[href*='by=password']")
    expect(phone.locator("[name=password]")).to_be_visible()
