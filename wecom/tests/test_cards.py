"""Cards over the wire: sent, changed, recalled."""

from __future__ import annotations

from typing import Any

import pytest

from wecom import cards
from wecom.client import WeComClient
from wecom.errors import OutcomeUnknown, PermanentError
from wecom.member_rate import PER_MINUTE, MemberBusy
from wecom.tests.peers import Close, Peer

SEND, UPDATE, RECALL = "message/send", "message/update_template_card", "message/recall"
CARD: dict[str, Any] = {"card_type": "button_interaction", "task_id": "quote-42", "main_title": {"title": "报价"}}
OK = {"errcode": 0, "errmsg": "ok"}
SENT = OK | {"invaliduser": "", "msgid": "m1", "response_code": "code-1"}


def test_a_card_goes_to_its_recipients_with_the_duplicate_check_on(wecom_client: WeComClient, peer: Peer) -> None:
    peer.answer(SEND, SENT | {"invaliduser": "Gone", "unlicenseduser": "finance01"})
    sent = cards.send_card(wecom_client, to=["wang.boss", "zhao.vp", "WANG.boss", "Gone"], card=CARD)
    assert sent == cards.SentCard("m1", "code-1", invalid_users=["gone"], unlicensed_users=["finance01"])
    assert peer.calls(SEND)[0].body == {
        "touser": "wang.boss|zhao.vp|Gone",
        "agentid": 1000002,
        "msgtype": "template_card",
        "template_card": CARD,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 14400,
    }


def test_repeating_after_a_lost_answer_is_the_same_request(wecom_client: WeComClient, peer: Peer) -> None:
    peer.answer(SEND, Close(), SENT)
    with pytest.raises(OutcomeUnknown):
        cards.send_card(wecom_client, to=["wang.boss"], card=CARD)
    cards.send_card(wecom_client, to=["wang.boss"], card=CARD)
    first, second = peer.calls(SEND)
    assert first.content == second.content


def test_a_card_without_buttons_has_no_code(wecom_client: WeComClient, peer: Peer) -> None:
    peer.answer(SEND, OK | {"msgid": "m2"})
    assert cards.send_card(wecom_client, to=["li.mei"], card=CARD).response_code == ""


@pytest.mark.parametrize(
    ("to", "errcode"), [(["", ""], 82001), ([f"u{number}" for number in range(1001)], cards.TOO_MANY_RECIPIENTS)]
)
def test_one_message_has_1_to_1000_recipients(
    wecom_client: WeComClient, peer: Peer, to: list[str], errcode: int
) -> None:
    with pytest.raises(PermanentError) as caught:
        cards.send_card(wecom_client, to=to, card=CARD)
    assert caught.value.errcode == errcode
    assert peer.received == []


def test_a_member_gets_no_more_cards_than_wecom_delivers(wecom_client: WeComClient, peer: Peer) -> None:
    peer.answer(SEND, SENT)
    for number in range(PER_MINUTE):
        cards.send_card(wecom_client, to=["wang.boss"], card=CARD | {"task_id": f"quote-{number}"})
    with pytest.raises(MemberBusy):
        cards.send_card(wecom_client, to=["wang.boss"], card=CARD)
    assert len(peer.calls(SEND)) == PER_MINUTE
    cards.send_card(wecom_client, to=["wang.boss"], card=CARD, counted=True)
    assert len(peer.calls(SEND)) == PER_MINUTE + 1


def test_a_card_is_replaced_for_some(wecom_client: WeComClient, peer: Peer) -> None:
    peer.answer(UPDATE, OK | {"invaliduser": ["Zhao.VP"]})
    new = {"card_type": "text_notice", "main_title": {"title": "已批准"}}
    missed = cards.update_card(wecom_client, response_code="code-1", to=["wang.boss", "Zhao.VP"], card=new)
    assert missed == ["zhao.vp"]
    assert peer.calls(UPDATE)[0].body == {
        "agentid": 1000002,
        "response_code": "code-1",
        "userids": ["wang.boss", "Zhao.VP"],
        "template_card": new,
    }


def test_the_button_is_replaced_for_all(wecom_client: WeComClient, peer: Peer) -> None:
    peer.answer(UPDATE, OK)
    assert cards.update_card(wecom_client, response_code="code-1", to=None, button="已批准") == []
    assert peer.calls(UPDATE)[0].body == {
        "agentid": 1000002,
        "response_code": "code-1",
        "atall": 1,
        "button": {"replace_name": "已批准"},
    }


@pytest.mark.parametrize("shown", [{}, {"card": CARD, "button": "ok"}])
def test_what_the_card_shows_next_is_one_thing(wecom_client: WeComClient, shown: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either"):
        cards.update_card(wecom_client, response_code="code-1", to=None, **shown)


@pytest.mark.parametrize("errcode", [cards.CODE_SPENT, *sorted(cards.NOBODY_TO_UPDATE)])
def test_a_change_that_wecom_refuses_is_permanent(wecom_client: WeComClient, peer: Peer, errcode: int) -> None:
    peer.answer(UPDATE, {"errcode": errcode, "errmsg": "no"})
    with pytest.raises(PermanentError) as caught:
        cards.update_card(wecom_client, response_code="code-1", to=None, button="ok")
    assert caught.value.errcode == errcode


def test_the_answer_to_a_change_may_be_lost(wecom_client: WeComClient, peer: Peer) -> None:
    peer.answer(UPDATE, Close())
    with pytest.raises(OutcomeUnknown):
        cards.update_card(wecom_client, response_code="code-1", to=None, button="ok")
    assert len(peer.calls(UPDATE)) == 1


def test_a_message_is_recalled(wecom_client: WeComClient, peer: Peer) -> None:
    peer.answer(RECALL, OK, {"errcode": cards.RECALL_TOO_LATE, "errmsg": "too late"})
    cards.recall(wecom_client, "m1")
    assert peer.calls(RECALL)[0].body == {"msgid": "m1"}
    with pytest.raises(PermanentError) as caught:
        cards.recall(wecom_client, "m1")
    assert caught.value.errcode == cards.RECALL_TOO_LATE
