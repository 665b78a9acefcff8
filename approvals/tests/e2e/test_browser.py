"""The same in a browser: a quote is made and submitted in the admin, agreed to on the stand-in's phone, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from approvals.models import ApprovalRule, InstanceStatus
from approvals.tests.chains import one_step
from approvals.tests.e2e.clients import PROMISED_SECONDS
from approvals.tests.e2e.house import House
from approvals.tests.e2e.windows import fits, in_chinese, log_in, phone_window, watched
from config.testing.processes import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def desk(chromium_page: Any, complaints: list[str]) -> Any:
    return watched(chromium_page, complaints)


@pytest.fixture
def phone(chromium: Any, complaints: list[str]) -> Iterator[Any]:
    window = phone_window(chromium, complaints)
    yield window
    window.context.close()


def make_quote(page: Any, house: House) -> None:
    """Leaves the page of the new quote open."""
    page.goto(f"{house.url}/admin/approvals/quote/add/")
    page.fill("[name=title]", "二号厂房空压机")
    page.fill("[name=customer_name]", "苏州恒远")
    page.click("a.add-row")
    page.fill("[name=items-0-name]", "空压机 GA75")
    page.fill("[name=items-0-quantity]", "2")
    page.fill("[name=items-0-unit_price]", "300000")
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")


def test_a_quote_made_in_admin_is_agreed_to_on_the_phone_and_shown_within_five_seconds(
    house: House, desk: Any, phone: Any, complaints: list[str]
):
    with house.database.opened():
        ApprovalRule.objects.create(name="大额", min_amount=Decimal(500_000), chain=one_step("wang.boss"))
    log_in(desk, house, "li")
    make_quote(desk, house)
    quote_page = desk.url
    desk.click("a[href*='/submit']")
    desk.click("form:has([name=seen]) button[type=submit]")
    desk.wait_for_url(quote_page)
    truth = desk.locator(".qb-truth")
    truth.wait_for()

    def waiting() -> bool:
        phone.goto(f"{house.standin.url}/phone?as=wang.boss")
        return bool(phone.locator("a.card", has_text="苏州恒远").count())

    wait_until(waiting, PROMISED_SECONDS, "the form on Wang's phone", interval=0.2)
    phone.locator("a.card", has_text="苏州恒远").first.click()
    assert fits(phone)
    phone.fill("[name=speech]", "同意，尽快发货")
    phone.click("button[value=agree]")
    phone.wait_for_url("**/phone/approvals/**")

    approved = in_chinese(InstanceStatus.APPROVED.label)

    def shown() -> bool:
        desk.reload()
        return truth.locator(".qb-side").filter(has_text=approved).count() == 2  # here and in WeCom

    wait_until(shown, PROMISED_SECONDS, "approved on both sides of the panel", interval=0.1)
    assert "同意，尽快发货" in desk.inner_text("body")
    assert complaints == []


def test_the_page_speaks_english_to_those_who_chose_it(house: House, desk: Any, complaints: list[str]):
    quote = house.li.submitted()
    house.phone.act(quote.sp_no, "agree")
    quote.await_status("approved")
    log_in(desk, house, "li")
    desk.context.add_cookies([{"name": "django_language", "value": "en", "url": house.url}])
    desk.goto(f"{house.url}/admin/approvals/quote/{quote.id}/change/")
    assert desk.locator("html").get_attribute("lang") == "en"
    sides = desk.locator(".qb-truth .qb-side")
    assert [side.split("\n")[0] for side in sides.all_inner_texts()] == ["Here", "In WeCom"]
    assert sides.filter(has_text="Approved").count() == 2
    assert complaints == []
