"""The phone and the fault panel as a person uses them, without JavaScript."""

from __future__ import annotations

import requests

from wecom.tests.standin.conftest import Receiver, Standin, node


def page(standin: Standin, path: str) -> str:
    answer = requests.get(standin.url + path, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_home_page_offers_every_member(standin: Standin) -> None:
    text = page(standin, "/")
    assert "王建国" in text
    assert "guo.guest" not in text


def test_a_person_agrees_on_the_phone(standin: Standin, receiver: Receiver) -> None:
    sp_no = standin.submit(nodes=[node("wang.boss")])
    assert "CIS-20260101-0001" in page(standin, "/phone?as=wang.boss")
    detail = page(standin, f"/phone/approvals/{sp_no}?as=wang.boss")
    assert 'value="agree"' in detail
    assert "Pump X1" in detail
    form = {"key": sp_no, "as": "wang.boss", "tab": "todo", "action": "agree", "speech": "可以 <b>"}
    answer = requests.post(f"{standin.url}/phone/act", data=form, timeout=10)
    assert answer.url.endswith(f"/phone/approvals/{sp_no}?as=wang.boss&tab=todo")
    assert "可以 &lt;b&gt;" in answer.text
    assert 'value="agree"' not in answer.text
    receiver.wait_for(2)
    assert receiver.changes() == ["1", "2"]
    card = f'<a class="card" href="/phone/approvals/{sp_no}'
    assert card not in page(standin, "/phone?as=wang.boss")
    assert card in page(standin, "/phone?as=wang.boss&tab=done")
    assert card in page(standin, "/phone?as=li.mei&tab=sent")


def test_an_act_that_came_too_late_says_so(standin: Standin) -> None:
    sp_no = standin.submit()
    standin.act(sp_no, "withdraw")
    form = {"key": sp_no, "as": "wang.boss", "action": "agree"}
    answer = requests.post(f"{standin.url}/phone/act", data=form, timeout=10)
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert "setInterval" not in answer.text  # there is nothing to ask for at the address of a form
    assert "setInterval" in page(standin, f"/phone/approvals/{sp_no}?as=wang.boss")


def test_messages_stand_on_their_own_tab(standin: Standin) -> None:
    body = {"touser": "wang.boss", "msgtype": "text", "agentid": 1000042, "text": {"content": "请审批"}}
    standin.call("message/send", body)
    assert "请审批" in page(standin, "/phone?as=wang.boss&tab=messages")
    assert "请审批" not in page(standin, "/phone?as=zhao.vp&tab=messages")


def test_a_fault_is_switched_on_and_off_by_form(standin: Standin) -> None:
    url = f"{standin.url}/faults"
    requests.post(url, data={"kind": "errcode", "errcode": "-1", "endpoint": "oa/applyevent", "count": ""}, timeout=10)
    fault = standin.get("faults")["faults"][0]
    assert (fault["errcode"], fault["remaining"], fault["effect"]) == (-1, None, False)
    assert f'value="{fault["id"]}"' in page(standin, "/faults")
    requests.post(url, data={"remove": fault["id"]}, timeout=10)
    assert standin.get("faults")["faults"] == []
    refused = requests.post(url, data={"kind": "errcode", "errcode": "many"}, timeout=10)
    assert refused.status_code == 400


def test_no_page_asks_another_host(standin: Standin) -> None:
    sp_no = standin.submit()
    for path in ("/", "/phone?as=li.mei&tab=sent", f"/phone/approvals/{sp_no}", "/faults"):
        text = page(standin, path)
        assert "https://" not in text
        assert text.count("http://") == text.count("http://127.0.0.1")


def test_unknown_pages_and_calls_are_404(standin: Standin) -> None:
    for path in ("/nowhere", "/phone/approvals/1", "/standin/api/nowhere", "/cgi-bin/nowhere"):
        assert requests.get(standin.url + path, timeout=10).status_code == 404
    assert requests.get(f"{standin.url}/standin/api/reset", timeout=10).status_code == 405
