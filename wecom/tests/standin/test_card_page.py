"""Cards on the phone's page, as a person sees and presses them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from wecom.tests.standin.conftest import Receiver, Standin
from wecom.tests.standin.test_cards import NOTICE, TASK, card, sent, update

FACE: dict[str, Any] = {
    "source": {"desc": "Quotebridge"},
    "main_title": {"title": "CIS-1 <b>", "desc": "waits for you"},
    "quote_area": {"type": 0, "title": "Li Mei", "quote_text": "3 % discount\nincluded"},
    "sub_title_text": "second revision",
    "horizontal_content_list": [
        {"keyname": "Total", "value": "CNY 128,000.00"},
        {"keyname": "Applicant", "type": 3, "userid": "li.mei"},
        {"keyname": "Customer", "value": "Hengyuan", "type": 1, "url": "https://x.test/customers/1"},
    ],
    "card_action": {"type": 1, "url": "https://x.test/m/approvals/7"},
    "action_menu": {"desc": "more", "action_list": [{"text": "Later", "key": "later"}]},
}
AGREE = 'name="key" value="agree"'


def page(standin: Standin, userid: str = "wang.boss") -> str:
    cookies = {"standin_language": "en"}
    answer = requests.get(f"{standin.url}/phone?as={userid}&tab=messages", cookies=cookies, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.text


def press(standin: Standin, userid: str = "wang.boss", key: str = "agree") -> requests.Response:
    form = {"as": userid, "task_id": TASK, "key": key}
    cookies = {"standin_language": "en"}
    return requests.post(f"{standin.url}/phone/card", data=form, cookies=cookies, timeout=10)


def test_a_card_shows_all_its_parts(standin: Standin) -> None:
    sent(standin, **FACE)
    text = page(standin)
    parts = ("Quotebridge", "CIS-1 &lt;b&gt;", "waits for you", "3 % discount<br>included", "second revision")
    for part in (*parts, "CNY 128,000.00", "李梅", "Later", AGREE):
        assert part in text
    for address in ("https://x.test/customers/1", "https://x.test/m/approvals/7", "https://x.test/"):
        assert f'href="{address}"' in text


def test_a_press_on_the_page_arrives_as_an_event(standin: Standin, receiver: Receiver) -> None:
    sent(standin)
    answer = press(standin)
    assert answer.url.endswith("/phone?as=wang.boss&tab=messages")
    (event,) = receiver.wait_for(1)
    assert (event["FromUserName"], event["EventKey"], event["TaskId"]) == ("wang.boss", "agree", TASK)
    assert AGREE in answer.text  # until the product changes the card, it may be pressed again


def test_a_replaced_card_has_no_buttons_and_says_so_to_who_comes_late(standin: Standin, receiver: Receiver) -> None:
    code = sent(standin)["response_code"]
    assert '<span class="count">1</span>' in page(standin)
    update(standin, code, atall=1, template_card=NOTICE)
    text = page(standin)
    assert NOTICE["main_title"]["title"] in text
    assert AGREE not in text
    assert '<span class="count">1</span>' not in text
    late = press(standin)
    assert late.status_code == 409
    assert "The card has changed in the meantime; this button no longer works." in late.text
    assert receiver.events == []


def test_a_dead_button_stands_in_place_of_all(standin: Standin) -> None:
    code = sent(standin)["response_code"]
    update(standin, code, userids=["wang.boss"], button={"replace_name": "You agreed"})
    assert "You agreed" in page(standin)
    assert AGREE not in page(standin)
    assert AGREE in page(standin, "zhao.vp")


def test_a_recalled_message_says_that_it_was(standin: Standin) -> None:
    standin.call("message/recall", {"msgid": sent(standin, **FACE)["msgid"]})
    text = page(standin)
    assert "This message was recalled." in text
    assert "CIS-1" not in text


def test_only_members_have_a_phone(standin: Standin) -> None:
    sent(standin)
    assert press(standin, "no.body").status_code == 404


@pytest.mark.browser
def test_a_thumb_reaches_the_buttons_of_a_card(standin: Standin, receiver: Receiver, chromium: Any) -> None:
    sent(standin, **FACE, button_list=[*card()["button_list"], {"text": "A rather long third button", "key": "third"}])
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="zh-CN")
    phone = context.new_page()
    phone.goto(f"{standin.url}/phone?as=wang.boss&tab=messages")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    for button in phone.query_selector_all(".tcard .buttons > *:not(input)"):
        box = button.bounding_box()
        assert box["height"] >= 40
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    with phone.expect_navigation():
        phone.tap(f"button[{AGREE.split()[1]}]")
    assert receiver.wait_for(1)[0]["EventKey"] == "agree"
    phone.locator(".tcard summary").tap()
    with phone.expect_navigation():
        phone.tap("button[value=later]")
    assert receiver.wait_for(2)[1]["Event"] == "template_card_menu_event"
    context.close()
