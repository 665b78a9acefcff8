"""Cards on phones: presses, their events and codes, replacing, recalling, growing old (docs 90240, 94888, 94867)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from wecom.tests.standin.conftest import AGENT_ID, Clock, Receiver, Standin

TASK = "quote-42"
NOTICE: dict[str, Any] = {
    "card_type": "text_notice",
    "main_title": {"title": "Approved"},
    "card_action": {"type": 1, "url": "https://x.test/"},
}
UPDATE = "message/update_template_card"


def card(**fields: Any) -> dict[str, Any]:
    return {
        "card_type": "button_interaction",
        "task_id": TASK,
        "main_title": {"title": "Quotation"},
        "button_list": [{"text": "Agree", "key": "agree"}, {"text": "Details", "type": 1, "url": "https://x.test/"}],
    } | fields


def sent(standin: Standin, to: str = "wang.boss|zhao.vp", **fields: Any) -> dict[str, Any]:
    body = {"touser": to, "msgtype": "template_card", "agentid": AGENT_ID, "template_card": card(**fields)}
    answer = standin.call("message/send", body)
    assert answer["errcode"] == 0, answer
    return answer


def update(standin: Standin, code: str, **fields: Any) -> int:
    return standin.errcode(UPDATE, {"agentid": AGENT_ID, "response_code": code} | fields)


def click(standin: Standin, userid: str = "wang.boss", key: str = "agree", **more: Any) -> requests.Response:
    body = {"userid": userid, "task_id": TASK, "key": key} | more
    return requests.post(f"{standin.url}/standin/api/cards/click", json=body, timeout=10)


def phone(standin: Standin, userid: str = "wang.boss") -> dict[str, Any]:
    """The newest card of a member."""
    return dict(standin.get("cards", userid=userid)["cards"][0])


def test_a_press_raises_an_event_with_a_new_code(standin: Standin, receiver: Receiver) -> None:
    first = sent(standin)["response_code"]
    second = click(standin, "WANG.boss").json()["response_code"]
    (event,) = receiver.wait_for(1)
    created = event.pop("CreateTime")
    assert event == {
        "ToUserName": "wwfacade0123456789",
        "FromUserName": "wang.boss",
        "MsgType": "event",
        "Event": "template_card_event",
        "EventKey": "agree",
        "TaskId": TASK,
        "CardType": "button_interaction",
        "ResponseCode": second,
        "AgentID": str(AGENT_ID),
    }
    assert created.isdigit()
    assert first != second
    assert update(standin, second, userids=["wang.boss"], button={"replace_name": "Agreed"}) == 0
    assert update(standin, second, atall=1, template_card=NOTICE) == 60140
    assert update(standin, first, atall=1, template_card=NOTICE) == 0


def test_an_entry_of_the_menu_raises_an_event_of_its_own(standin: Standin, receiver: Receiver) -> None:
    menu = {"desc": "more", "action_list": [{"text": "Later", "key": "later"}]}
    sent(standin, **NOTICE, action_menu=menu)
    assert phone(standin)["keys"] == ["later"]
    click(standin, key="later")
    (event,) = receiver.wait_for(1)
    assert (event["Event"], event["EventKey"], event["CardType"]) == (
        "template_card_menu_event",
        "later",
        "text_notice",
    )


def test_each_phone_shows_what_was_made_of_its_own_card(standin: Standin) -> None:
    first = sent(standin)["response_code"]
    code = click(standin).json()["response_code"]
    update(standin, code, userids=["wang.boss"], button={"replace_name": "Agreed"})
    assert phone(standin)["shown"] == card(replace_text="Agreed")
    assert phone(standin)["keys"] == []
    assert (phone(standin, "zhao.vp")["shown"], phone(standin, "zhao.vp")["keys"]) == (card(), ["agree"])
    replaced_at = phone(standin)["updated_at"]
    assert replaced_at >= phone(standin)["sent_at"]
    assert phone(standin, "zhao.vp")["updated_at"] is None
    update(standin, first, atall=1, template_card=NOTICE)
    assert phone(standin)["shown"] == phone(standin, "zhao.vp")["shown"] == NOTICE
    assert phone(standin, "zhao.vp")["updated_at"] >= phone(standin)["updated_at"] > replaced_at


def test_a_replaced_card_may_have_live_buttons_and_lose_them_later(standin: Standin) -> None:
    first = sent(standin)["response_code"]
    other = card(button_list=[{"text": "Again", "key": "again"}])
    update(standin, first, atall=1, template_card=other)
    assert phone(standin)["keys"] == ["again"]
    code = click(standin, key="again").json()["response_code"]
    update(standin, code, atall=1, button={"replace_name": "Over"})
    assert phone(standin)["shown"] == other | {"replace_text": "Over"}


REFUSED_PRESSES: dict[str, tuple[str, str]] = {
    "not on this card": ("wang.boss", "reject"),
    "not a recipient": ("li.mei", "agree"),
    "nobody at all": ("no.body", "agree"),
}


@pytest.mark.parametrize(("userid", "key"), REFUSED_PRESSES.values(), ids=REFUSED_PRESSES.keys())
def test_only_what_the_phone_shows_can_be_pressed(standin: Standin, userid: str, key: str) -> None:
    sent(standin)
    assert click(standin, userid, key).status_code == 409
    assert standin.get("events")["events"] == []


def test_a_replaced_card_is_pressed_only_by_force(standin: Standin, receiver: Receiver) -> None:
    update(standin, sent(standin)["response_code"], atall=1, template_card=NOTICE)
    assert click(standin).status_code == 409
    assert receiver.events == []
    code = click(standin, force=True).json()["response_code"]
    (event,) = receiver.wait_for(1)
    assert (event["ResponseCode"], event["CardType"]) == (code, "button_interaction")
    assert update(standin, code, userids=["wang.boss"], template_card=card()) == 0


def test_a_stranger_presses_by_force(standin: Standin, receiver: Receiver) -> None:
    sent(standin, to="wang.boss")
    code = click(standin, "li.mei", force=True).json()["response_code"]
    assert receiver.wait_for(1)[0]["FromUserName"] == "li.mei"
    assert update(standin, code, userids=["li.mei"], template_card=NOTICE) == 82102
    assert update(standin, code, atall=1, template_card=NOTICE) == 0
    assert phone(standin)["shown"] == NOTICE


def test_a_card_that_does_not_exist_can_be_pressed_by_force_alone(standin: Standin, receiver: Receiver) -> None:
    assert click(standin).status_code == 404
    code = click(standin, force=True).json()["response_code"]
    assert receiver.wait_for(1)[0]["TaskId"] == TASK
    assert update(standin, code, atall=1, template_card=NOTICE) == 60140
    sent(standin)  # the task ID is still free


def test_a_recalled_message_is_gone_from_all_phones(standin: Standin) -> None:
    answer = sent(standin)
    assert standin.errcode("message/recall", {"msgid": answer["msgid"]}) == 0
    for userid in ("wang.boss", "zhao.vp"):
        assert (phone(standin, userid)["recalled"], phone(standin, userid)["shown"]) == (True, None)
        assert standin.get("messages", userid=userid)["messages"][0]["recalled"] is True
    assert click(standin).status_code == 409
    assert update(standin, answer["response_code"], atall=1, template_card=NOTICE) == 82102


def test_recalling_ends_after_24_hours(standin: Standin) -> None:
    answer = sent(standin)
    standin.post("cards/age", task_id=TASK, hours=23.9)
    assert standin.post("cards/age", task_id=TASK, hours=0.2) == {"cards": 2}
    assert standin.errcode("message/recall", {"msgid": answer["msgid"]}) == 42052
    assert phone(standin)["recalled"] is False


@pytest.mark.parametrize(("body", "errcode"), [({}, 40063), ({"msgid": "of-another-app"}, 40058)])
def test_what_was_not_sent_cannot_be_recalled(standin: Standin, body: dict[str, str], errcode: int) -> None:
    assert standin.errcode("message/recall", body) == errcode


def test_codes_end_with_the_age_of_the_card_and_a_press_brings_a_fresh_one(standin: Standin, clock: Clock) -> None:
    first = sent(standin)["response_code"]
    standin.post("cards/age", task_id=TASK, hours=72.1)
    assert update(standin, first, atall=1, template_card=NOTICE) == 60140
    code = click(standin).json()["response_code"]
    assert update(standin, code, atall=1, template_card=NOTICE) == 0


@pytest.mark.parametrize("body", [{"task_id": TASK}, {"task_id": TASK, "hours": "3"}, {"task_id": TASK, "hours": True}])
def test_hours_are_a_number(standin: Standin, body: dict[str, Any]) -> None:
    assert requests.post(f"{standin.url}/standin/api/cards/age", json=body, timeout=10).status_code == 400


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "task ID with other characters": ({"task_id": "报价 42"}, 42014),
    "task ID too long": ({"task_id": "q" * 129}, 42014),
    "row without a name": ({"horizontal_content_list": [{"value": "1"}]}, 42027),
    "row that leads nowhere": ({"horizontal_content_list": [{"keyname": "a", "type": 1}]}, 42028),
    "row of nobody": ({"horizontal_content_list": [{"keyname": "a", "type": 3}]}, 42050),
    "seven rows": ({"horizontal_content_list": [{"keyname": "a"}] * 7}, 42035),
    "button that leads nowhere": ({"button_list": [{"text": "a", "type": 1, "url": "x.test"}]}, 42028),
    "key too long": ({"button_list": [{"text": "a", "key": "钥" * 342}]}, 42039),
    "quote that leads nowhere": ({"quote_area": {"type": 1}}, 42028),
    "four jumps": ({"jump_list": [{"title": "a"}] * 4}, 42042),
    "two entries with one key": ({"action_menu": {"action_list": [{"text": "a", "key": "k"}] * 2}}, 42051),
}


@pytest.mark.parametrize(("fields", "errcode"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_card_is_refused_when_sent_and_as_replacement(
    standin: Standin, fields: dict[str, Any], errcode: int
) -> None:
    code = sent(standin)["response_code"]
    body = {"touser": "wang.boss", "msgtype": "template_card", "agentid": AGENT_ID}
    assert standin.errcode("message/send", body | {"template_card": card(task_id="quote-43") | fields}) == errcode
    replaced = update(standin, code, atall=1, template_card=card() | fields)
    assert replaced == (0 if errcode == 42014 else errcode)  # a replacement keeps the card's task ID


def test_a_notice_has_no_button_to_replace(standin: Standin) -> None:
    first = sent(standin)["response_code"]
    code = click(standin).json()["response_code"]
    assert update(standin, first, atall=1, template_card=NOTICE) == 0
    assert update(standin, code, atall=1, button={"replace_name": "Over"}) == 40058
    assert update(standin, code, atall=1, template_card=card()) == 0
    assert phone(standin)["keys"] == ["agree"]
