"""On a phone, in a real browser without JavaScript: what fits, what is read, and that our policy is not in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import expect

from approvals import engine, quotes
from approvals.actors import Actor, actor_for
from approvals.models import ApprovalInstance, Channel, Quote
from approvals.tests.conftest import CONTENT
from approvals.tests.mobile.conftest import WXWORK, Phone
from config.testing.phones import SIZES, BrowserOnPhone
from config.testing.ports import reserved_port
from config.testing.processes import Stack, Web
from wecom.models import Member, WeComConfig

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Submit = Callable[..., ApprovalInstance]

MA = Actor(Channel.WECOM, userid="ma.cfo", name="马莉")


class Pocket(BrowserOnPhone):
    """WeCom's browser in somebody's pocket."""

    def __init__(self, browser: Any, **options: Any) -> None:
        defaults = {"user_agent": WXWORK, "is_mobile": True, "has_touch": True, "locale": "en-GB"}
        super().__init__(browser, **defaults | options)

    def belongs_to(self, person: Member | User, base: str) -> None:
        cookie = Phone.of(person).client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": base}])


@pytest.fixture
def pocket(chromium: Any, live_server: Any, ma: Member) -> Iterator[Pocket]:
    pocket = Pocket(chromium)
    pocket.belongs_to(ma, live_server.url)
    yield pocket
    pocket.context.close()
    assert pocket.troubles == []


def test_from_the_list_to_the_decision_without_scripts(
    chromium: Any, live_server: Any, submitted: Submit, ma: Member, qian: Member
):
    instance = submitted(flow="internal", approvers=[{"userids": ["ma.cfo"]}, {"userids": ["qian.ops"]}])
    pocket = Pocket(chromium, java_script_enabled=False)
    pocket.belongs_to(ma, live_server.url)
    page = pocket.page
    page.goto(f"{live_server.url}/m/")
    page.get_by_role("link", name="三号车间水泵").click()
    page.wait_for_url(f"**/m/approvals/{instance.pk}")
    expect(page.get_by_role("button", name="Agree", exact=True)).to_be_in_viewport()
    page.get_by_label("Comment").fill("价格可以")
    pocket.press("Agree")
    expect(page.get_by_role("status")).to_have_text("You agreed.")
    expect(page.get_by_role("button", name="Agree", exact=True)).to_have_count(0)
    pocket.press("中文")
    assert page.get_attribute("html", "lang") == "zh-hans"
    assert page.url == f"{live_server.url}/m/approvals/{instance.pk}"
    pocket.context.close()
    assert pocket.troubles == []
    instance.refresh_from_db()
    assert instance.status == "pending"


def test_delegating_and_rejecting(pocket: Pocket, live_server: Any, submitted: Submit, qian: Member):
    instance = submitted(flow="internal", approvers=["ma.cfo"])
    pocket.page.goto(f"{live_server.url}/m/approvals/{instance.pk}")
    pocket.press("Let a colleague decide…", role="link")
    pocket.page.get_by_label("Name or userid").fill("钱")
    pocket.press("Search")
    pocket.page.get_by_label("钱宁").check()
    pocket.press("Delegate")
    expect(pocket.page.get_by_role("status")).to_have_text("钱宁 was asked to decide as well.")
    pocket.press("Reject…", role="link")
    pocket.page.get_by_label("Reason").fill("毛利太低")
    pocket.press("Reject")
    expect(pocket.page.get_by_role("status")).to_have_text("You rejected the quote.")
    instance.refresh_from_db()
    assert instance.status == "rejected"


@pytest.fixture
def long_one(li: User, ma: Member, member: Callable[..., Member]) -> ApprovalInstance:
    """A second revision in which everything is as long as it can be."""
    actor = actor_for(li, Channel.INTERNAL)
    member("long." + "x" * 59, "欧阳" * 30, position="华东区大客户部" * 10)
    content = CONTENT | {"title": "关于苏州工业园区二期厂房板式换热器采购安装调试与维保服务的报价" + "W" * 80}
    quote = quotes.create_quote(data=content | {"remark": "A" * 300, "phone": "1" * 40}, actor=actor)
    first = engine.submit(quote=quote, actor=actor, flow="internal", approvers=["ma.cfo"])
    engine.reject(instance=first, actor=MA, reason="R" * 400)
    quotes.revise(quote=Quote.objects.get(), actor=actor)
    items = [{"name": "N" * 200, "specification": "S" * 400, "quantity": "999999999.999", "unit_price": "9999999.99"}]
    quotes.update_quote(quote=Quote.objects.get(), data={"items": items, "customer_name": "华" * 200}, actor=actor)
    chain: list[dict[str, Any]] = [
        {"userids": ["ma.cfo", "long." + "x" * 59], "relation": "any"},
        {"userids": ["y" * 64]},
    ]
    return engine.submit(quote=Quote.objects.get(), actor=actor, flow="internal", approvers=chain, comment="C" * 500)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_is_wider_than_its_screen(
    pocket: Pocket, live_server: Any, long_one: ApprovalInstance, size: str, language: str
):
    cookie = {"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}
    pocket.context.add_cookies([cookie])
    pocket.resize(size)
    one = f"/m/approvals/{long_one.pk}"
    for path in ("/m/approvals", one, f"{one}/reject", f"{one}/delegate?q=欧", "/m/approvals/999"):
        pocket.page.goto(live_server.url + path)
        assert not pocket.overflows, path


def test_it_can_be_read_in_any_light_and_tapped_with_any_thumb(
    pocket: Pocket, live_server: Any, long_one: ApprovalInstance
):
    one = f"/m/approvals/{long_one.pk}"
    for path in ("/m/approvals", one, f"{one}/reject", f"{one}/delegate?q=欧", "/m/approvals/999"):
        pocket.page.goto(live_server.url + path)
        for scheme in ("light", "dark"):
            pocket.page.emulate_media(color_scheme=scheme)
            assert pocket.poor_contrast == [], (path, scheme)
        assert pocket.small_targets == [], path
        assert pocket.page.locator("h1").count() == 1


@pytest.mark.slow
def test_from_a_message_in_wecom_past_the_silent_log_in_and_back_after_the_session_ended(
    stack: Stack, chromium: Any, wecom_app: WeComConfig, submitted: Submit, member: Callable[..., Member]
):
    """Over real processes: the policy for forms must let the way from a form to WeCom's page pass."""
    member("zhao.vp", "赵敏")
    instance = submitted(flow="internal", approvers=["zhao.vp"])
    site = _site(stack)
    pocket = Pocket(chromium, java_script_enabled=False)
    page, address = pocket.page, f"{site.url}/m/approvals/{instance.pk}/reject"
    page.goto(address)
    page.click("button[value='zhao.vp']")
    page.wait_for_url(address)
    pocket.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_label("Reason").fill("毛利太低")
    page.get_by_role("button", name="Reject", exact=True).click()
    page.wait_for_url("**/connect/oauth2/authorize?**")
    page.click("button[value='zhao.vp']")
    page.wait_for_url(f"{site.url}/m/approvals/{instance.pk}")
    pocket.press("Reject…", role="link")
    page.get_by_label("Reason").fill("毛利太低")
    pocket.press("Reject")
    expect(page.get_by_role("status")).to_have_text("You rejected the quote.")
    pocket.context.close()
    assert pocket.troubles == []


def _site(stack: Stack) -> Web:
    port = reserved_port()
    stack.environment |= {
        "API_BASE_URL": f"http://localhost:{port}",
        "WECOM_CORP_ID": "wwfacade0123456789",
        "WECOM_AGENT_ID": "1000042",
        "WECOM_SECRET": "app-secret",
        "WECOM_CALLBACK_TOKEN": "QuoteDeskTok2026",
        "WECOM_ENCODING_AES_KEY": "q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
    }
    stack.standin(callback_url=f"http://127.0.0.1:{port}/wecom/callback")
    web = stack.web(port=port)
    web.url = f"http://localhost:{port}"
    return web
