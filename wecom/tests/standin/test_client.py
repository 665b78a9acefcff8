"""The product's own client against the stand-in: the two sides were written apart from the same documents."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wecom import cards
from wecom.callback_ips import get_callback_ips
from wecom.card_events import from_event
from wecom.client import WeComClient
from wecom.errors import OutcomeUnknown, PermanentError, QuotaError, RetryableError, WeComError
from wecom.messages import send_text
from wecom.models import WeComConfig
from wecom.oa import apply_event, get_approval_detail, get_template_detail, list_approval_numbers
from wecom.open_approval import get_open_approval
from wecom.tests.standin.conftest import AGENT_ID, CORP_ID, SECRET, TEMPLATE, Clock, Receiver, Standin, submission


@pytest.fixture
def caller(standin: Standin, settings: Any) -> WeComClient:
    settings.WECOM_API_BASE_URL = standin.url
    slug = f"app-{uuid.uuid4().hex[:8]}"
    return WeComClient(WeComConfig(slug=slug, corp_id=CORP_ID, agent_id=AGENT_ID, secret=SECRET))


def listed(caller: WeComClient) -> list[str]:
    now = datetime.now(UTC)
    filters = {"sp_status": "1", "creator": "li.mei"}
    days = timedelta(days=40)
    return list(list_approval_numbers(caller, start=now - days, end=now + timedelta(minutes=1), filters=filters))


def test_an_approval_is_submitted_found_in_the_list_and_read(standin: Standin, caller: WeComClient) -> None:
    template = get_template_detail(caller, TEMPLATE)
    table = next(control for control in template.controls if control.type == "Table")
    assert [child.title for child in table.children] == ["名称", "规格", "数量", "单价", "金额"]

    sp_no = apply_event(caller, submission())
    assert listed(caller) == [sp_no]
    detail = get_approval_detail(caller, sp_no)
    assert (detail.sp_no, detail.status, detail.applicant) == (sp_no, "pending", "li.mei")
    assert detail.form["Text-01"] == "CIS-20260101-0001"


@pytest.mark.parametrize("state", ["invalid", "expired"])
def test_a_token_that_ends_early_costs_nothing_but_one_more_gettoken(
    standin: Standin, caller: WeComClient, state: str
) -> None:
    apply_event(caller, submission())
    standin.post("tokens/end", state=state)
    apply_event(caller, submission())
    assert len(listed(caller)) == 2


def test_a_message_tells_who_was_not_reached(caller: WeComClient) -> None:
    assert send_text(caller, to=["li.mei", "Nobody.Here"], text="报价已批准").invalid_users == ["nobody.here"]
    with pytest.raises(PermanentError) as caught:
        send_text(caller, to=["nobody.here"], text="报价已批准")
    assert caught.value.errcode == 81013


CARD = {
    "card_type": "button_interaction",
    "task_id": "quote-42",
    "main_title": {"title": "报价"},
    "button_list": [{"text": "同意", "key": "agree"}],
}
RESULT = {
    "card_type": "text_notice",
    "main_title": {"title": "已批准"},
    "card_action": {"type": 1, "url": "https://x.test/"},
}


def test_a_press_on_a_card_comes_back_and_changes_it(standin: Standin, caller: WeComClient, receiver: Receiver) -> None:
    sent = cards.send_card(caller, to=["wang.boss", "zhao.vp", "Nobody.Here"], card=CARD)
    assert sent.invalid_users == ["nobody.here"]
    standin.post("cards/click", userid="zhao.vp", task_id="quote-42", key="agree")
    click = from_event(receiver.wait_for(1)[0], config_id=1, at=datetime.now(UTC))
    assert (click.userid, click.task_id, click.key) == ("zhao.vp", "quote-42", "agree")
    assert cards.update_card(caller, response_code=click.response_code, to=["zhao.vp"], button="已同意") == []
    assert [card["keys"] for card in standin.get("cards")["cards"]] == [[], ["agree"]]
    assert cards.update_card(caller, response_code=sent.response_code, to=["li.mei", "wang.boss"], card=RESULT) == [
        "li.mei"
    ]
    assert standin.get("cards", userid="wang.boss")["cards"][0]["shown"] == RESULT
    with pytest.raises(PermanentError) as caught:
        cards.update_card(caller, response_code=sent.response_code, to=None, card=RESULT)
    assert caught.value.errcode == cards.CODE_SPENT


def test_a_card_whose_answer_was_lost_arrives_once(standin: Standin, caller: WeComClient, clock: Clock) -> None:
    standin.fault("close_after", endpoint="message/send", count=1)
    with pytest.raises(OutcomeUnknown):
        cards.send_card(caller, to=["wang.boss"], card=CARD)
    assert cards.send_card(caller, to=["wang.boss"], card=CARD).response_code
    assert len(standin.get("cards")["cards"]) == 1
    clock.ahead = 4 * 3600 + 1  # the duplicate check has forgotten it; the task ID is taken for good
    with pytest.raises(PermanentError) as caught:
        cards.send_card(caller, to=["wang.boss"], card=CARD)
    assert caught.value.errcode == cards.TASK_USED


def test_a_card_is_recalled_within_a_day(standin: Standin, caller: WeComClient) -> None:
    sent = cards.send_card(caller, to=["wang.boss"], card=CARD)
    standin.post("cards/age", task_id="quote-42", hours=25)
    with pytest.raises(PermanentError) as caught:
        cards.recall(caller, sent.message_id)
    assert caught.value.errcode == cards.RECALL_TOO_LATE
    standin.post("cards/age", task_id="quote-42", hours=-2)
    cards.recall(caller, sent.message_id)
    assert standin.get("cards")["cards"][0]["recalled"] is True


@pytest.mark.parametrize(("fault", "accepted"), [("close_before", 0), ("close_after", 1)])
def test_a_lost_answer_says_nothing_about_whether_the_form_exists(
    standin: Standin, caller: WeComClient, fault: str, accepted: int
) -> None:
    standin.fault(fault, endpoint="oa/applyevent")
    with pytest.raises(OutcomeUnknown):
        apply_event(caller, submission())
    assert len(listed(caller)) == accepted


def test_the_rest_of_the_calls(caller: WeComClient) -> None:
    assert get_callback_ips(caller)
    with pytest.raises(PermanentError) as caught:
        get_open_approval(caller, "CIS-20990101-0001")
    assert caught.value.errcode == 301025


@pytest.mark.parametrize(("errcode", "expected"), [(-1, RetryableError), (45009, QuotaError), (301055, PermanentError)])
def test_wecoms_refusals_arrive_with_their_family_and_hint(
    standin: Standin, caller: WeComClient, errcode: int, expected: type[WeComError]
) -> None:
    standin.fault("errcode", endpoint="oa/applyevent", errcode=errcode)
    with pytest.raises(expected) as caught:
        apply_event(caller, submission())
    assert caught.value.hint
