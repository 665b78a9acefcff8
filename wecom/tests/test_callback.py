"""Verifying and opening a callback, as plain functions over recorded bytes."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom.callback import (
    MOST_BODY_BYTES,
    CallbackCredentials,
    ParameterMissing,
    TooLarge,
    TooOld,
    open_callback,
    verify_echo,
)
from wecom.crypto import (
    CallbackError,
    IllegalBase64,
    IllegalBuffer,
    ReceiveIdMismatch,
    SignatureMismatch,
    Unparsable,
)
from wecom.tests.vectors import (
    AES_KEY,
    ECHO,
    NONCE,
    OTHER_AES_KEY,
    OTHER_TOKEN,
    POSTED,
    TIMESTAMP,
    TOKEN,
    approval_event,
    crypto,
    envelope,
    signed,
)

NOW = datetime.fromtimestamp(int(TIMESTAMP), UTC)
CREDENTIALS = CallbackCredentials(config_id=1, primary=crypto())
ROTATING = CallbackCredentials(config_id=1, primary=crypto(), secondary=crypto(OTHER_TOKEN, OTHER_AES_KEY))
QUERY = {"msg_signature": POSTED.signature, "timestamp": TIMESTAMP, "nonce": NONCE}
ECHO_QUERY = {"msg_signature": ECHO.signature, "timestamp": TIMESTAMP, "nonce": NONCE, "echostr": ECHO.encrypted}


def test_the_echo_of_vector_b_is_its_bare_message() -> None:
    assert verify_echo(CREDENTIALS, ECHO_QUERY, now=NOW) == ECHO.message.encode()


def test_an_echo_whose_plus_became_a_space_is_repaired() -> None:
    assert "+" in ECHO.encrypted
    damaged = {**ECHO_QUERY, "echostr": ECHO.encrypted.replace("+", " ")}
    assert verify_echo(CREDENTIALS, damaged, now=NOW) == ECHO.message.encode()


def test_an_echo_may_be_of_the_next_credentials() -> None:
    other = crypto(OTHER_TOKEN, OTHER_AES_KEY)
    echo = other.encrypt(b"42")
    query = {**ECHO_QUERY, "echostr": echo, "msg_signature": other.sign(TIMESTAMP, NONCE, echo)}
    assert verify_echo(ROTATING, query, now=NOW) == b"42"


def test_an_echo_is_not_sent_back_to_a_stranger() -> None:
    with pytest.raises(SignatureMismatch):
        verify_echo(CREDENTIALS, {**ECHO_QUERY, "msg_signature": POSTED.signature}, now=NOW)


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce", "echostr"])
def test_a_verification_without_a_parameter_is_refused(name: str) -> None:
    query = {key: value for key, value in ECHO_QUERY.items() if key != name}
    with pytest.raises(ParameterMissing) as refused:
        verify_echo(CREDENTIALS, query, now=NOW)
    assert refused.value.http_status == 400


def test_vector_a_opens_to_its_event() -> None:
    opened = open_callback(CREDENTIALS, QUERY, envelope(POSTED.encrypted), now=NOW)
    digest = hashlib.sha256(POSTED.message.encode()).hexdigest()
    assert opened.event_id == f"sys_approval_change:{digest}"
    assert (opened.event, opened.subject, opened.from_user) == ("sys_approval_change", "202601010001", "sys")
    assert opened.created == NOW
    assert opened.payload == POSTED.message
    assert opened.credential == "primary"


def test_the_json_packet_opens_too() -> None:
    body = json.dumps({"tousername": "x", "encrypt": POSTED.encrypted}).encode()
    assert open_callback(CREDENTIALS, QUERY, b" \n" + body, now=NOW).payload == POSTED.message


def test_whitespace_around_the_ciphertext_does_not_matter() -> None:
    body = f"<xml>\n <Encrypt>\n{POSTED.encrypted}\n</Encrypt>\n</xml>".encode()
    assert open_callback(CREDENTIALS, QUERY, body, now=NOW).payload == POSTED.message


@pytest.mark.parametrize(
    ("by", "name"),
    [
        (crypto(), "primary"),
        (crypto(OTHER_TOKEN, OTHER_AES_KEY), "secondary"),
    ],
)
def test_the_event_says_which_credentials_matched(by: object, name: str) -> None:
    query, body = signed(POSTED.message, by=by)  # type: ignore[arg-type]
    assert open_callback(ROTATING, query, body, now=NOW).credential == name


def test_rotating_the_aes_key_alone_works() -> None:
    rotating = CallbackCredentials(config_id=1, primary=crypto(), secondary=crypto(TOKEN, OTHER_AES_KEY))
    query, body = signed(POSTED.message, by=crypto(TOKEN, OTHER_AES_KEY))
    assert open_callback(rotating, query, body, now=NOW).credential == "secondary"


def test_the_next_credentials_count_only_while_they_are_set() -> None:
    query, body = signed(POSTED.message, by=crypto(OTHER_TOKEN, OTHER_AES_KEY))
    with pytest.raises(SignatureMismatch) as refused:
        open_callback(CREDENTIALS, query, body, now=NOW)
    assert (refused.value.code, refused.value.http_status) == (-40001, 403)


def test_another_company_is_refused() -> None:
    query, body = signed(POSTED.message, by=crypto(TOKEN, AES_KEY, "wwfacade9999999999"))
    with pytest.raises(ReceiveIdMismatch):
        open_callback(CREDENTIALS, query, body, now=NOW)


def test_the_receiveid_of_the_second_pair_is_checked_too() -> None:
    query, body = signed(POSTED.message, by=crypto(OTHER_TOKEN, OTHER_AES_KEY, ""))
    with pytest.raises(ReceiveIdMismatch):
        open_callback(ROTATING, query, body, now=NOW)


@pytest.mark.parametrize("cut", [1, 3, 21, 300])
def test_truncated_base64_is_refused(cut: int) -> None:
    encrypted = POSTED.encrypted[:-cut]
    query = {**QUERY, "msg_signature": crypto().sign(TIMESTAMP, NONCE, encrypted)}
    with pytest.raises((IllegalBase64, IllegalBuffer)):
        open_callback(CREDENTIALS, query, envelope(encrypted), now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<xml><Encrypt></Encrypt></xml>",
        b"<xml></xml>",
        b"{}",
        b'{"encrypt": 7}',
        b'{"encrypt": ',
        b"{" * 20_000,
        b'{"a":' * 20_000,
        b"\xff\xfe",
        b'<!DOCTYPE xml [<!ENTITY e "x">]><xml><Encrypt>&e;</Encrypt></xml>',
    ],
)
def test_a_body_that_is_no_packet_is_refused(body: bytes) -> None:
    with pytest.raises(Unparsable) as refused:
        open_callback(CREDENTIALS, QUERY, body, now=NOW)
    assert (refused.value.code, refused.value.http_status) == (-40002, 400)


@pytest.mark.parametrize("message", ["", "hello", "<xml>", "<!DOCTYPE x><xml><Event>e</Event></xml>", '{"event": 1}'])
def test_a_signed_message_that_is_no_xml_is_refused(message: str) -> None:
    query, body = signed(message)
    with pytest.raises(Unparsable):
        open_callback(CREDENTIALS, query, body, now=NOW)


def test_a_lone_surrogate_out_of_json_is_a_mismatch_and_no_crash() -> None:
    with pytest.raises(SignatureMismatch):
        open_callback(CREDENTIALS, QUERY, b'{"encrypt": "\\ud800"}', now=NOW)


def test_a_body_of_1_mib_is_read_and_one_byte_more_is_refused() -> None:
    query, body = signed(POSTED.message)
    largest = body + b" " * (MOST_BODY_BYTES - len(body))
    assert open_callback(CREDENTIALS, query, largest, now=NOW).payload == POSTED.message
    with pytest.raises(TooLarge) as refused:
        open_callback(CREDENTIALS, query, largest + b" ", now=NOW)
    assert refused.value.http_status == 413


@pytest.mark.parametrize("off", [timedelta(hours=1), -timedelta(hours=1), timedelta(0)])
def test_within_an_hour_a_callback_is_young_enough(off: timedelta) -> None:
    assert open_callback(CREDENTIALS, QUERY, envelope(POSTED.encrypted), now=NOW + off).event


@pytest.mark.parametrize("off", [timedelta(hours=1, seconds=1), -timedelta(hours=1, seconds=1)])
def test_beyond_an_hour_it_is_refused_unless_it_was_spooled(off: timedelta) -> None:
    with pytest.raises(TooOld) as refused:
        open_callback(CREDENTIALS, QUERY, envelope(POSTED.encrypted), now=NOW + off)
    assert refused.value.http_status == 403
    assert open_callback(CREDENTIALS, QUERY, envelope(POSTED.encrypted), now=None).event


@pytest.mark.parametrize("timestamp", ["soon", "-1767225600", "1767225600.0", "99999999999999", "0"])
def test_a_timestamp_that_is_no_time_is_refused(timestamp: str) -> None:
    query, body = signed(POSTED.message, timestamp=timestamp)
    with pytest.raises(TooOld):
        open_callback(CREDENTIALS, query, body, now=NOW)


def test_an_event_of_its_own_id_keeps_it() -> None:
    query, body = signed("<xml><Event>e</Event><EventID>abc-1</EventID></xml>")
    assert open_callback(CREDENTIALS, query, body, now=NOW).event_id == "abc-1"


def test_an_id_that_fits_no_column_is_replaced_by_the_hash() -> None:
    message = f"<xml><Event>e</Event><EventID>{'x' * 191}</EventID></xml>"
    query, body = signed(message)
    assert (
        open_callback(CREDENTIALS, query, body, now=NOW).event_id == f"e:{hashlib.sha256(message.encode()).hexdigest()}"
    )


def test_two_events_of_one_second_and_sender_are_two() -> None:
    ids = set()
    for sp_no in ("202601010001", "202601010002"):
        query, body = signed(approval_event(sp_no))
        ids.add(open_callback(CREDENTIALS, query, body, now=NOW).event_id)
    assert len(ids) == 2


def test_the_same_event_encrypted_anew_is_the_same_event() -> None:
    deliveries = [signed(POSTED.message, nonce=str(nonce)) for nonce in range(3)]
    assert len({body for _, body in deliveries}) == 3
    assert len({open_callback(CREDENTIALS, query, body, now=NOW).event_id for query, body in deliveries}) == 1


@pytest.mark.parametrize(
    ("info", "subject"),
    [
        ("<SpNoStr>1</SpNoStr><SpNo>2</SpNo>", "1"),
        ("<SpNoStr></SpNoStr><SpNo>2</SpNo>", "2"),
        ("<SpNo>2</SpNo>", "2"),
        ("<ThirdNo>CIS-20260101-0001</ThirdNo>", "CIS-20260101-0001"),
        ("<thirdNo>CIS-20260101-0001</thirdNo>", "CIS-20260101-0001"),
        ("<SpName>x</SpName>", ""),
        ("", ""),
    ],
)
def test_the_subject_is_the_number_of_the_approval(info: str, subject: str) -> None:
    query, body = signed(f"<xml><Event>e</Event><ApprovalInfo>{info}</ApprovalInfo></xml>")
    assert open_callback(CREDENTIALS, query, body, now=NOW).subject == subject


def test_a_message_without_event_is_named_by_its_type() -> None:
    query, body = signed("<xml><MsgType>text</MsgType><FromUserName>li.mei</FromUserName><MsgId>1</MsgId></xml>")
    opened = open_callback(CREDENTIALS, query, body, now=NOW)
    assert (opened.event, opened.from_user, opened.created) == ("text", "li.mei", None)
    assert opened.event_id.startswith("text:")


def test_overlong_texts_are_cut_to_their_columns() -> None:
    long = "x" * 500
    query, body = signed(
        f"<xml><Event>{long}</Event><ChangeType>{long}</ChangeType><FromUserName>{long}</FromUserName>"
        f"<ApprovalInfo><SpNoStr>{long}</SpNoStr></ApprovalInfo></xml>"
    )
    opened = open_callback(CREDENTIALS, query, body, now=NOW)
    assert [len(text) for text in (opened.event, opened.change_type, opened.from_user, opened.subject)] == [
        64,
        64,
        128,
        128,
    ]
    assert len(opened.event_id) <= 190


@given(body=st.binary(max_size=200), query=st.dictionaries(st.sampled_from(sorted(QUERY)), st.text(max_size=50)))
def test_whatever_a_stranger_sends_is_refused_by_the_family(body: bytes, query: dict[str, str]) -> None:
    with pytest.raises(CallbackError) as refused:
        open_callback(ROTATING, query, body, now=NOW)
    assert refused.value.http_status in (400, 403, 413)
    assert refused.value.reason
