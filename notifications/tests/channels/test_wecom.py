"""Messages in WeCom: per-recipient outcome, turns, pauses."""

from __future__ import annotations

import pytest

from config.durable import NotYet, PermanentFailure, TemporaryFailure
from notifications.channels.base import Message, NoTurn
from notifications.channels.wecom import WeComChannel
from notifications.recipients import Recipient
from wecom.models import WeComConfig
from wecom.redis import redis
from wecom.tests.peers import Close, Peer

pytestmark = pytest.mark.django_db
SEND = "message/send"
OK = {"errcode": 0, "errmsg": "ok", "msgid": "m1"}
TEXT = Message(key="k", address="Li.Mei", body="项目 P-1 已发货")


def test_the_text_goes_to_one_member_with_the_duplicate_check_on(wecom_peer: Peer) -> None:
    assert WeComChannel().send(TEXT) == "m1"
    body = wecom_peer.calls(SEND)[0].body
    assert (body["touser"], body["text"], body["enable_duplicate_check"]) == ("Li.Mei", {"content": TEXT.body}, 1)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (OK | {"invaliduser": "li.mei"}, "通讯录"),
        (OK | {"unlicenseduser": "li.mei"}, "接口许可"),
        ({"errcode": 81013, "errmsg": "user & party & tag all invalid"}, "81013"),
    ],
)
def test_a_member_who_cannot_be_reached_is_that_rows_failure_with_a_remedy(
    wecom_peer: Peer, answer: dict[str, object], word: str
) -> None:
    wecom_peer.answer(SEND, answer)
    with pytest.raises(PermanentFailure, match=word):
        WeComChannel().send(TEXT)


def test_the_next_message_to_the_same_member_waits_its_turn(wecom_peer: Peer) -> None:
    channel = WeComChannel()
    channel.send(TEXT)
    with pytest.raises(NoTurn) as caught:
        channel.send(TEXT)
    assert 0 < caught.value.retry_after < 5
    assert len(wecom_peer.calls(SEND)) == 1
    channel.send(Message(key="o", address="wang", body="x"))


def test_turns_are_reserved_for_a_whole_claim_and_kept(wecom_peer: Peer) -> None:
    channel = WeComChannel()
    first, second, other = channel.reserve([TEXT, TEXT, Message(key="o", address="wang", body="x")])
    assert isinstance(first, NoTurn) and isinstance(second, NoTurn) and isinstance(other, NoTurn)
    assert (first.retry_after, other.retry_after) == (0, 0)
    assert second.retry_after > 0
    kept = Message(key="k", address="Li.Mei", body="x", turn=second.turn)
    assert channel.reserve([kept]) == [None]
    channel.send(Message(key="k", address="Li.Mei", body="x", turn=first.turn))
    with pytest.raises(NoTurn) as caught:
        channel.send(kept)
    assert caught.value.turn == second.turn


def test_a_limit_of_wecom_is_waited_out_and_is_no_attempt(wecom_peer: Peer) -> None:
    wecom_peer.answer(SEND, {"errcode": 45009, "errmsg": "api freq out of limit"}, OK)
    with pytest.raises(NotYet) as caught:
        WeComChannel().send(TEXT)
    assert caught.value.retry_after == pytest.approx(60, abs=5)
    with pytest.raises(NotYet):
        WeComChannel().send(TEXT)  # paused for everybody: no further call
    assert len(wecom_peer.calls(SEND)) == 1


def test_a_lost_answer_is_repeated_with_the_same_words(wecom_peer: Peer) -> None:
    wecom_peer.answer(SEND, Close(), OK)
    channel = WeComChannel()
    with pytest.raises(TemporaryFailure):
        channel.send(TEXT)
    redis().flushdb()  # as if the rate had room again
    channel.send(TEXT)
    first, second = wecom_peer.calls(SEND)
    assert first.content == second.content


def test_without_an_app_messages_wait(db) -> None:
    assert not WeComConfig.objects.exists()
    with pytest.raises(TemporaryFailure) as caught:
        WeComChannel().send(TEXT)
    assert caught.value.retry_after


def test_customers_have_no_address_here() -> None:
    assert WeComChannel.address_of(Recipient("customer", "X", userid="wm1", outside=True)) == ""
    assert WeComChannel.address_of(Recipient("engineer", "X", userid=" li.mei ")) == "li.mei"


def test_who_writes_a_text_is_told_its_size() -> None:
    assert "6" in WeComChannel.size_of("价价")
    assert "2048" in WeComChannel.size_of("价" * 1000)
    assert WeComChannel.size_of("价" * 1000) != WeComChannel.size_of("价")
