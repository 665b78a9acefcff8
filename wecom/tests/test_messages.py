"""Application messages over the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom.errors import OutcomeUnknown, PermanentError
from wecom.messages import cut_bytes, send_text
from wecom.tests.peers import Close

SEND = "message/send"
OK = {"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": "m1"}


def test_a_text_goes_to_its_recipients_with_the_duplicate_check_on(wecom_client, peer):
    peer.answer(SEND, OK)
    result = send_text(wecom_client, to=["li.mei", "Wang.Boss", "LI.MEI", ""], text="报价已批准")
    assert (result.invalid_users, result.unlicensed_users) == ([], [])
    assert peer.calls(SEND)[0].body == {
        "touser": "li.mei|Wang.Boss",
        "agentid": 1000002,
        "msgtype": "text",
        "text": {"content": "报价已批准"},
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 14400,
    }


def test_the_same_message_is_the_same_request(wecom_client, peer):
    peer.answer(SEND, Close(), OK)
    with pytest.raises(OutcomeUnknown):
        send_text(wecom_client, to=["li.mei"], text="once")
    send_text(wecom_client, to=["li.mei"], text="once")
    first, second = peer.calls(SEND)
    assert first.content == second.content


def test_who_was_not_reached_is_told_in_lower_case(wecom_client, peer):
    peer.answer(SEND, OK | {"invaliduser": "Zhao.VP|gone", "unlicenseduser": "finance01"})
    result = send_text(wecom_client, to=["zhao.vp", "gone", "finance01", "li.mei"], text="ok")
    assert (result.invalid_users, result.unlicensed_users) == (["zhao.vp", "gone"], ["finance01"])


def test_more_than_a_thousand_recipients_take_several_calls(wecom_client, peer):
    peer.answer(SEND, OK | {"invaliduser": "u0"}, OK | {"invaliduser": "u1500"})
    result = send_text(wecom_client, to=[f"u{number}" for number in range(2001)], text="x")
    assert [len(request.body["touser"].split("|")) for request in peer.calls(SEND)] == [1000, 1000, 1]
    assert result.invalid_users == ["u0", "u1500", "u1500"]


def test_nobody_to_send_to_is_an_error_without_a_call(wecom_client, peer):
    with pytest.raises(PermanentError) as caught:
        send_text(wecom_client, to=[""], text="x")
    assert caught.value.errcode == 82001
    assert peer.received == []


def test_a_long_text_is_cut_before_wecom_does(wecom_client, peer):
    peer.answer(SEND, OK)
    send_text(wecom_client, to=["li.mei"], text="价" * 1000)
    content = peer.calls(SEND)[0].body["text"]["content"]
    assert content == "价" * 681 + "…"
    assert len(content.encode()) == 2046


@given(st.text(max_size=60), st.integers(min_value=3, max_value=80))
def test_cutting_keeps_whole_characters_and_the_limit(text, longest):
    cut = cut_bytes(text, longest)
    assert len(cut.encode()) <= longest
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))
