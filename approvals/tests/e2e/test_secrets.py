"""No secret in an answer, a page or a log, whatever is asked and whatever goes wrong. The logs of every other house are
looked through when it is closed."""

from __future__ import annotations

import requests

from approvals.tests.e2e.admin_site import AdminSite
from approvals.tests.e2e.house import AES_KEY, CALLBACK_TOKEN, SECRET, House
from approvals.tests.e2e.traffic import post_callback
from config.testing.clients import TIMEOUT
from wecom.models import WeComConfig


def test_no_secret_in_error_pages_answers_or_logs(house: House):
    with house.database.opened():
        config = WeComConfig.objects.get()
    quote = house.li.submitted()
    assert post_callback(house).text == "success"
    admin = AdminSite(house.url, "lin")
    pages = {
        path: requests.request(method, f"{house.url}{path}", data=body, headers=headers, timeout=TIMEOUT)
        for method, path, body, headers in [
            ("GET", "/nothing/here", None, {}),
            ("GET", "/api/nothing", None, {"Authorization": f"Token {house.li.token}"}),
            ("GET", "/api/quotes", None, {"Authorization": f"Token {house.li.token[:-3]}xyz"}),
            (
                "POST",
                "/api/quotes",
                b"{",
                {"Authorization": f"Token {house.li.token}", "Content-Type": "application/json"},
            ),
            ("POST", f"/api/quotes/{quote.id}/submit", b"{}", {"Authorization": f"Token {house.wang.token}"}),
            ("POST", f"/wecom/callback?token={CALLBACK_TOKEN}&access_token={SECRET}", b"<xml/>", {}),
            ("GET", f"/wecom/callback?echostr={AES_KEY}&msg_signature=1&timestamp=1&nonce=1", None, {}),
            ("POST", "/admin/login/", {"username": "li", "password": "x"}, {}),
            ("GET", "/health/ready", None, {}),
        ]
    }
    assert {answer.status_code for answer in pages.values()} <= {400, 401, 403, 404, 405, 409, 415, 503}
    for path in (
        "/",
        "/wecom/wecomconfig/",
        f"/wecom/wecomconfig/{config.pk}/change/",
        "/wecom/callbackevent/",
        "/wecom/refusedcallback/",
        "/approvals/syncoperation/",
    ):
        pages[path] = admin.get(path)
        assert pages[path].status_code == 200, path
    secrets = house.secrets()
    shown = [
        f"{name} at {path}" for path, answer in pages.items() for name, value in secrets.items() if value in answer.text
    ]
    assert shown == []
    assert len([name for name in secrets if name.startswith("access token")]) >= 1
    assert house.leaks() == []
