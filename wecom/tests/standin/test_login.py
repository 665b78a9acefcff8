"""The stand-in's authorise pages, and the codes that they give out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from wecom.standin.options import Options
from wecom.standin.server import StandinServer
from wecom.standin.world import World
from wecom.tests.standin.conftest import AGENT_ID, CORP_ID, Clock, Standin

DOMAIN = "quotes.example.com:8443"
BACK = f"https://{DOMAIN}/wecom/login/return"
QR = {"login_type": "CorpApp", "appid": CORP_ID, "agentid": str(AGENT_ID), "redirect_uri": BACK, "state": "abc"}
SILENT = {
    "appid": CORP_ID,
    "agentid": str(AGENT_ID),
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "snsapi_base",
    "state": "abc",
}


@pytest.fixture
def standin(options: Options, clock: Clock) -> Iterator[Standin]:
    server = StandinServer(World(replace(options, login_domain=DOMAIN), clock))
    server.start_in_background()
    yield Standin(server.url)
    server.stop()


def choose(standin: Standin, person: str, **form: str) -> requests.Response:
    form = {"redirect_uri": BACK, "state": "abc", "as": person, **form}
    return requests.post(f"{standin.url}/login", data=form, timeout=10, allow_redirects=False)


def code_of(answer: requests.Response) -> str:
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["state"] == ["abc"]
    return query["code"][0]


def who(standin: Standin, code: str) -> dict[str, object]:
    return standin.call("auth/getuserinfo", code=code)


def test_both_pages_ask_who_somebody_is(standin: Standin) -> None:
    for path, query in (("/wwlogin/sso/login", QR), ("/connect/oauth2/authorize", SILENT)):
        page = requests.get(standin.url + path, params=query, timeout=10)
        assert page.status_code == 200
        assert 'value="li.mei"' in page.text
        assert "https://" not in page.text.replace(BACK, "")


def test_the_qr_page_speaks_the_language_that_it_is_asked_for(standin: Standin) -> None:
    english = requests.get(f"{standin.url}/wwlogin/sso/login", params={**QR, "lang": "en"}, timeout=10).text
    assert "Scan with WeCom" in english
    assert 'lang="zh-hans"' in requests.get(f"{standin.url}/wwlogin/sso/login", params=QR, timeout=10).text


@pytest.mark.parametrize(
    ("path", "change", "number"),
    [
        ("/wwlogin/sso/login", {"login_type": "ServiceApp"}, "-31040"),
        ("/wwlogin/sso/login", {"appid": "wwother"}, "-31027"),
        ("/wwlogin/sso/login", {"agentid": "7"}, "-31028"),
        ("/wwlogin/sso/login", {"redirect_uri": ""}, "-31035"),
        ("/wwlogin/sso/login", {"redirect_uri": "https://evil.example/"}, "-31020"),
        ("/wwlogin/sso/login", {"redirect_uri": "https://quotes.example.com/"}, "-31020"),  # another port
        ("/connect/oauth2/authorize", {"appid": "wwother"}, "40013"),
        ("/connect/oauth2/authorize", {"agentid": "7"}, "40056"),
        ("/connect/oauth2/authorize", {"scope": "snsapi_all"}, "40035"),
        ("/connect/oauth2/authorize", {"state": "a:b"}, "84025"),
        ("/connect/oauth2/authorize", {"state": "a" * 129}, "84025"),
        ("/connect/oauth2/authorize", {"redirect_uri": "https://evil.example/"}, "50001"),
    ],
)
def test_a_wrong_address_is_refused_with_wecoms_number(
    standin: Standin, path: str, change: dict[str, str], number: str
) -> None:
    query = (QR if "sso" in path else SILENT) | change
    page = requests.get(standin.url + path, params=query, timeout=10)
    assert page.status_code == 400
    assert f"({number})" in page.text


def test_a_code_is_good_once(standin: Standin) -> None:
    code = code_of(choose(standin, "li.mei", scanned="1"))
    assert who(standin, code)["userid"] == "li.mei"
    assert who(standin, code)["errcode"] == 42022
    assert who(standin, "unknown")["errcode"] == 40029


def test_a_code_is_good_for_five_minutes(standin: Standin, clock: Clock) -> None:
    code = code_of(choose(standin, "li.mei"))
    clock.ahead = 301
    assert who(standin, code)["errcode"] == 42003


def test_outside_the_scope_scanning_is_refused_but_a_page_inside_wecom_is_not(standin: Standin) -> None:
    assert choose(standin, "guo.guest", scanned="1").status_code == 403
    assert who(standin, code_of(choose(standin, "guo.guest")))["userid"] == "guo.guest"


def test_who_is_not_a_member_has_no_userid_of_the_company(standin: Standin) -> None:
    customer = who(standin, code_of(choose(standin, "customer")))
    assert customer["openid"]
    assert "userid" not in customer
    assert who(standin, code_of(choose(standin, "linked")))["userid"] == "wwlinkedcompany/li.mei"


def test_a_code_goes_to_the_trusted_domain_only(standin: Standin) -> None:
    assert choose(standin, "li.mei", redirect_uri="https://evil.example/").status_code == 400
    kept = choose(standin, "li.mei", redirect_uri=f"{BACK}?tab=1").headers["Location"]
    assert kept.startswith(f"{BACK}?tab=1&code=")


def test_getuserinfo_needs_the_token_of_an_app(standin: Standin) -> None:
    assert standin.call("auth/getuserinfo", token="", code="x")["errcode"] == 41001
