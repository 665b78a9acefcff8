"""To WeCom and back: who gets in, where they land, and what the session is worth afterwards."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from axes.models import AccessLog
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from wecom.models import Member, WeComConfig
from wecom.tests.login.conftest import CODE, WXWORK, LogInBrowser, query_of
from wecom.tests.peers import Peer


def test_the_button_leads_to_the_page_with_the_qr_code(browser: LogInBrowser, default_app: WeComConfig):
    page = browser.get("/admin/login/?next=/admin/approvals/quote/").content.decode()
    assert 'href="/wecom/login?next=%2Fadmin%2Fapprovals%2Fquote%2F"' in page
    assert 'name="password"' in page
    response = browser.get("/wecom/login")
    address = urlsplit(response.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://login.work.weixin.qq.com/wwlogin/sso/login"
    query = query_of(response)
    assert query.pop("state").isalnum()
    assert query == {
        "login_type": "CorpApp",
        "appid": default_app.corp_id,
        "agentid": str(default_app.agent_id),
        "redirect_uri": "http://testserver/wecom/login/return",
        "lang": "en",
    }


def test_inside_wecom_nobody_is_asked_anything(default_app: WeComConfig):
    phone = LogInBrowser(WXWORK)
    page = phone.get("/admin/login/?next=/admin/")
    assert page.headers["Location"] == "/wecom/login?next=%2Fadmin%2F"
    response = phone.get(page.headers["Location"])
    address = response.headers["Location"]
    assert address.startswith("https://open.weixin.qq.com/connect/oauth2/authorize?")
    assert address.endswith("#wechat_redirect")
    query = query_of(response)
    assert (query["scope"], query["response_type"], query["agentid"]) == (
        "snsapi_base",
        "code",
        str(default_app.agent_id),
    )


def test_inside_wecom_the_form_can_be_had_as_well(default_app: WeComConfig):
    page = LogInBrowser(WXWORK).get("/admin/login/?by=password")
    assert page.status_code == 200
    assert b'name="password"' in page.content


def test_without_an_app_there_is_only_the_form(browser: LogInBrowser, db: None, settings: Settings):
    assert b"/wecom/login" not in browser.get("/admin/login/").content
    assert LogInBrowser(WXWORK).get("/admin/login/").status_code == 200
    assert browser.get("/wecom/login").status_code == 404


def test_a_linked_member_lands_on_the_page_that_was_asked_for(browser: LogInBrowser, li: Member, wecom: Peer):
    response = browser.log_in(next="/admin/approvals/quote/?status=draft")
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/approvals/quote/?status=draft")
    assert browser.user_id == str(li.user_id)
    (call,) = wecom.calls("auth/getuserinfo")
    assert call.query == {"code": CODE, "access_token": "token-1"}
    assert AccessLog.objects.get().username == "li"
    assert browser.get("/admin/").status_code == 200


def test_without_a_page_asked_for_it_is_the_first_one(browser: LogInBrowser, li: Member, wecom: Peer):
    assert browser.log_in().headers["Location"] == "/admin/"


def test_the_member_may_have_been_added_by_hand(browser: LogInBrowser, li: Member, wecom: Peer):
    Member.objects.update(status=None, userid="LI.Mei")
    assert browser.log_in().status_code == 302
    assert browser.user_id == str(li.user_id)


def test_the_linked_row_of_another_app_of_the_company_counts(browser: LogInBrowser, li: Member, wecom: Peer):
    other = WeComConfig.objects.create(slug="second", name="2", corp_id=li.config.corp_id, agent_id=2, secret="other")
    Member.objects.update(config=other)
    Member.objects.create(config=li.config, userid="li.mei", name="李梅", status=1)
    assert browser.log_in().status_code == 302


def test_the_same_userid_in_another_company_is_somebody_else(browser: LogInBrowser, li: Member, wecom: Peer):
    other = WeComConfig.objects.create(slug="second", name="2", corp_id="wwother", agent_id=2, secret="other")
    Member.objects.update(config=other)
    assert browser.log_in().status_code == 403
    assert browser.user_id is None


@pytest.mark.parametrize(
    "evil",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:evil", "/" + "a" * 500],
)
def test_nobody_is_sent_elsewhere_after_the_log_in(browser: LogInBrowser, li: Member, wecom: Peer, evil: str):
    assert "evil" not in browser.get("/admin/login/", {"next": evil}).context["wecom_log_in"]
    assert browser.log_in(next=evil).headers["Location"] == "/admin/"


def test_the_log_in_begins_where_wecom_sends_back_to(browser: LogInBrowser, default_app: WeComConfig):
    response = browser.get("/wecom/login?next=/admin/", headers={"host": "127.0.0.1"})
    assert response.headers["Location"] == "http://testserver/wecom/login?moved=1&next=%2Fadmin%2F"
    behind_a_proxy = browser.get("/wecom/login?moved=1", headers={"host": "127.0.0.1"})
    assert query_of(behind_a_proxy)["redirect_uri"] == "http://testserver/wecom/login/return"


def test_the_session_gets_a_new_key(browser: LogInBrowser, li: Member, wecom: Peer):
    session = browser.session
    session["cart"] = 1
    session.save()
    planted = session.session_key or ""
    browser.cookies["sessionid"] = planted
    browser.log_in()
    assert browser.session.session_key != planted
    assert browser.user_id == str(li.user_id)


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Member, {"deleted_at": "2026-01-01T00:00:00Z"}),
        (Member, {"status": 2}),
        (Member, {"user": None}),
        (User, {"is_staff": False}),
        (User, {"is_active": False}),
    ],
    ids=str,
)
def test_whoever_leaves_is_out_with_the_next_click(
    browser: LogInBrowser, li: Member, wecom: Peer, model: type[Member | User], change: dict[str, object]
):
    browser.log_in()
    assert browser.get("/admin/").status_code == 200
    model.objects.update(**change)
    assert browser.get("/admin/").status_code == 302


def test_rights_are_those_of_the_user(browser: LogInBrowser, li: Member, wecom: Peer):
    browser.log_in()
    assert browser.get("/admin/auth/user/").status_code == 403
    User.objects.update(is_superuser=True)
    assert browser.get("/admin/auth/user/").status_code == 200


def test_a_reload_of_the_way_back_does_no_harm(browser: LogInBrowser, li: Member, wecom: Peer):
    state = browser.begin()["state"]
    browser.come_back(state)
    again = browser.come_back(state)
    assert (again.status_code, again.headers["Location"]) == (302, "/admin/")
    assert len(wecom.calls("auth/getuserinfo")) == 1


def test_only_get_is_answered(browser: LogInBrowser, default_app: WeComConfig):
    for address in ("/wecom/login", "/wecom/login/return"):
        assert browser.post(address).status_code == 405
        assert browser.head(address).status_code == 405  # a scanner of links must not spend a code


def test_nothing_of_it_is_kept_in_caches(browser: LogInBrowser, li: Member, wecom: Peer):
    for response in (browser.get("/wecom/login"), browser.log_in()):
        assert "no-store" in response.headers["Cache-Control"]
