"""The approval engine, in a browser: started by the applicant on the phone, decided in WeCom, shown here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from approvals.tests.e2e.clients import PROMISED_SECONDS
from approvals.tests.e2e.house import House
from config.testing.processes import wait_until

pytestmark = pytest.mark.browser
WXWORK = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 wxwork/4.1.36 MicroMessenger/7.0.1 Language/zh"


@pytest.fixture
def phone(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(
        locale="en", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, user_agent=WXWORK
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def open_as(phone: Any, house: House, userid: str, path: str) -> None:
    """Inside WeCom nobody is asked for a password; the stand-in asks whose phone it is."""
    phone.goto(f"{house.url}{path}")
    phone.locator(f"button[value='{userid}']").click()
    phone.wait_for_url(f"{house.url}{path}*")


def test_started_by_the_applicant_and_decided_in_wecom(house: House, phone: Any) -> None:
    quote = house.li.new_quote()
    approval = quote.submit(flow="wecom_engine")
    complaints: list[str] = []
    phone.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    phone.on("pageerror", lambda error: complaints.append(str(error)))

    def told() -> bool:
        return any(f"/m/approvals/{approval['id']}/start" in text for text in house.phone.messages("li.mei"))

    wait_until(told, PROMISED_SECONDS, "Li is told where to start it")
    open_as(phone, house, "li.mei", f"/m/approvals/{approval['id']}/start")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.click("#open")
    phone.wait_for_url(f"{house.standin.url}/engine/open")
    assert "setInterval" not in phone.content()  # the answer to a form has no address that could be asked again
    assert quote.number in phone.inner_text("main")
    phone.click("button.yes")
    phone.wait_for_url("**/phone/approvals/**")
    quote.await_status("pending")
    house.phone.act(quote.number, "agree")
    quote.await_status("approved")
    assert [step["userid"] for step in quote.approval()["steps"]] == ["wang.boss"]
    assert complaints == []


def test_the_page_is_the_applicants_and_signs_nothing_else(house: House, phone: Any) -> None:
    quote = house.li.new_quote()
    approval = quote.submit(flow="wecom_engine")
    place = f"/m/approvals/{approval['id']}/start"
    open_as(phone, house, "li.mei", place)
    asked = "`${location.pathname}/signatures?kind=config&url=${encodeURIComponent(url)}`"
    ask = f"async url => (await fetch({asked})).status"
    assert phone.evaluate(ask, f"{house.url}{place}?from=card#wechat_redirect") == 200
    assert phone.evaluate(ask, f"{house.url}/m/approvals") == 400
    assert phone.evaluate(ask, "https://elsewhere.example/") == 400
    phone.context.clear_cookies()
    phone.goto(f"{house.url}{place}")
    phone.locator("button[value='wang.boss']").click()
    phone.wait_for_load_state()
    assert phone.locator("#open").count() == 0
