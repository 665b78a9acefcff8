"""``message/send`` and ``message/update_template_card`` (docs 90236, 94888)."""

from __future__ import annotations

from typing import Any

import pytest

from wecom.standin.message_html import message_html
from wecom.tests.standin.conftest import AGENT_ID, Clock, Standin


def text(content: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"touser": "wang.boss", "msgtype": "text", "agentid": AGENT_ID, "text": {"content": content}} | fields


def card(task_id: str = "quote-42", **fields: Any) -> dict[str, Any]:
    template_card = {
        "card_type": "button_interaction",
        "task_id": task_id,
        "main_title": {"title": "Quotation"},
        "button_list": [{"text": "Confirm", "key": "ok"}, {"text": "Details", "type": 1, "url": "https://x.test/"}],
    }
    return {
        "touser": "wang.boss|zhao.vp",
        "msgtype": "template_card",
        "agentid": AGENT_ID,
        "template_card": template_card | fields,
    }


def inbox(standin: Standin, userid: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = standin.get("messages", userid=userid)["messages"]
    return messages


def test_who_is_not_reached_is_listed_in_lower_case(standin: Standin) -> None:
    answer = standin.call("message/send", text(touser="Wang.Boss|NoBody|GUO.guest"))
    assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody|guo.guest")
    assert [message["content"] for message in inbox(standin, "wang.boss")] == [{"content": "hello"}]


def test_everybody_and_departments_can_be_addressed(standin: Standin) -> None:
    standin.call("message/send", text(touser="@all"))
    standin.call("message/send", text("sales", touser="", toparty="7|99"))
    assert [message["content"]["content"] for message in inbox(standin, "chen.yu")] == ["sales", "hello"]
    assert len(inbox(standin, "finance01")) == 1
    assert inbox(standin, "guo.guest") == []


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "nobody addressed": (text(touser=""), 82001),
    "all strangers": (text(touser="nobody"), 81013),
    "agent missing": ({name: value for name, value in text().items() if name != "agentid"}, 41011),
    "agent of another app": (text(agentid=1), 301002),
    "unknown type": (text(msgtype="telegram"), 40008),
    "empty text": (text(""), 44004),
    "link without scheme": (
        text(msgtype="textcard", textcard={"title": "t", "description": "d", "url": "x.test/q"}),
        45034,
    ),
    "card of unknown type": (card(card_type="poster"), 42031),
    "card without task_id": (card(task_id=""), 42014),
    "card without title": (card(main_title={}), 42033),
    "two buttons with one key": (card(button_list=[{"text": "a", "key": "k"}, {"text": "b", "key": "k"}]), 42039),
    "button without text": (card(button_list=[{"key": "k"}]), 42038),
    "notice without action": (card(card_type="text_notice"), 42045),
}


@pytest.mark.parametrize(("body", "errcode"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_message_is_refused_with_its_code(standin: Standin, body: dict[str, Any], errcode: int) -> None:
    assert standin.errcode("message/send", body) == errcode
    assert standin.get("stats")["messages"] == {"delivered": 0, "dropped": 0}


def test_a_card_that_calls_back_needs_a_callback_url(standin: Standin) -> None:
    standin.post("settings", callback_url="")
    assert standin.errcode("message/send", card()) == 43012


def test_a_long_text_is_cut_at_2048_bytes(standin: Standin) -> None:
    standin.call("message/send", text("报" * 700))
    assert inbox(standin, "wang.boss")[0]["content"]["content"] == "报" * 682


def test_a_string_for_the_agent_is_read_and_warned_about(standin: Standin) -> None:
    answer = standin.call("message/send", text(agentid=str(AGENT_ID)))
    assert answer["errcode"] == 0
    assert "Warning: wrong json format." in answer["errmsg"]


def test_an_identical_request_is_not_delivered_twice_when_asked(standin: Standin, clock: Clock) -> None:
    body = text(enable_duplicate_check=1, duplicate_check_interval=600)
    first = standin.call("message/send", body)
    assert standin.call("message/send", body) == first
    standin.call("message/send", body | {"text": {"content": "other"}})
    assert len(inbox(standin, "wang.boss")) == 2
    clock.ahead = 601
    standin.call("message/send", body)
    assert len(inbox(standin, "wang.boss")) == 3


def test_without_the_check_it_is_delivered_twice(standin: Standin) -> None:
    standin.call("message/send", text())
    standin.call("message/send", text())
    assert len(inbox(standin, "wang.boss")) == 2


def test_over_30_a_minute_messages_vanish_with_errcode_0(standin: Standin, clock: Clock) -> None:
    assert {standin.errcode("message/send", text(str(number))) for number in range(32)} == {0}
    assert standin.get("stats")["messages"] == {"delivered": 30, "dropped": 2}
    assert [message["dropped"] for message in inbox(standin, "wang.boss")[:3]] == [True, True, False]
    clock.ahead = 61
    standin.call("message/send", text("later"))
    assert inbox(standin, "wang.boss")[0]["dropped"] is False


def update(code: str, **fields: Any) -> dict[str, Any]:
    return {"agentid": AGENT_ID, "response_code": code, "button": {"replace_name": "Done"}} | fields


def test_a_response_code_updates_once(standin: Standin) -> None:
    code = standin.call("message/send", card())["response_code"]
    body = update(code, userids=["wang.boss", "LI.mei"])
    assert standin.call("message/update_template_card", body)["invaliduser"] == ["li.mei"]
    assert inbox(standin, "wang.boss")[0]["updated"] == {"button": {"replace_name": "Done"}}
    assert inbox(standin, "zhao.vp")[0]["updated"] is None
    assert standin.errcode("message/update_template_card", body) == 60140


def test_an_update_may_reach_all_recipients(standin: Standin) -> None:
    code = standin.call("message/send", card())["response_code"]
    assert standin.errcode("message/update_template_card", update(code)) == 82101
    assert standin.errcode("message/update_template_card", update(code, userids=["li.mei"])) == 82102
    assert standin.errcode("message/update_template_card", update(code, atall=1)) == 0
    assert inbox(standin, "zhao.vp")[0]["updated"] is not None


def test_a_response_code_ends_after_72_hours(standin: Standin, clock: Clock) -> None:
    code = standin.call("message/send", card())["response_code"]
    clock.ahead = 72 * 3600 + 1
    token = standin.gettoken()["access_token"]
    answer = standin.call("message/update_template_card", update(code, atall=1), token=token)
    assert answer["errcode"] == 60140


def test_a_task_id_is_used_once_and_plain_messages_get_no_code(standin: Standin) -> None:
    assert standin.errcode("message/send", card()) == 0
    assert standin.errcode("message/send", card()) == 42014
    assert "response_code" not in standin.call("message/send", text())


def test_only_known_markup_becomes_html() -> None:
    sent = '<a href="https://x.test/?a=1&b=2">open</a> <script>alert(1)</script>'
    assert message_html("text", {"content": sent}) == (
        '<a href="https://x.test/?a=1&amp;b=2">open</a> &lt;script&gt;alert(1)&lt;/script&gt;'
    )
    assert "javascript:" not in message_html("markdown", {"content": "[x](javascript:alert(1))"}).replace(
        "[x](javascript:alert(1))", ""
    )
    assert message_html("markdown", {"content": '# T\n**b** <font color="info">g</font>\n> q'}) == (
        '<h4>T</h4><div><b>b</b> <span class="info">g</span></div><blockquote>q</blockquote>'
    )


def test_an_address_in_a_text_can_be_followed_without_any_mark() -> None:
    shown = message_html("text", {"content": '见 http://quotes.test/m/1?a=1&b=<2>。\n<a href="http://x.test">详情</a>'})
    assert shown == (
        '见 <a href="http://quotes.test/m/1?a=1&amp;b=">http://quotes.test/m/1?a=1&amp;b=</a>&lt;2&gt;。<br>'
        '<a href="http://x.test">详情</a>'
    )
