"""One exchange over a real socket: what is sent, and what each way of failing is called."""

from __future__ import annotations

import gzip
import json
import logging
import time
import traceback

import pytest

from wecom import transport
from wecom.errors import OutcomeUnknown, RetryableError
from wecom.tests.peers import Close, Drip, Half, Hang, Raw, refused_url
from wecom.transport import exchange

CANARY = "canary-token-9d2e"


def call(**changes):
    arguments = {"params": {"access_token": CANARY}, "body": {"name": "x"}} | changes
    return exchange("POST", "oa/applyevent", **arguments)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)


def test_the_body_is_real_utf8_and_the_token_is_in_the_query(peer):
    peer.answer("oa/applyevent", {"errcode": 0, "sp_no": "1"})
    assert call(body={"text": "报价 Ünïcode 🙂"}) == {"errcode": 0, "sp_no": "1"}
    (request,) = peer.received
    assert request.content == '{"text": "报价 Ünïcode 🙂"}'.encode()
    assert request.query == {"access_token": CANARY}
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"


def test_half_a_surrogate_pair_does_not_stop_the_call(peer):
    peer.answer("oa/applyevent", {"errcode": 0})
    call(body={"text": "a\ud83db"})
    assert peer.received[0].body == {"text": "a?b"}


def test_one_connection_serves_many_calls(peer):
    peer.answer("oa/applyevent", {"errcode": 0, "filler": "x" * 200_000})
    for _attempt in range(5):
        call()
    assert (len(peer.received), peer.connections) == (5, 1)


def test_no_cookie_is_sent_back(peer):
    peer.answer("oa/applyevent", Raw(200, b"{}", {"Set-Cookie": "session=1; Path=/"}))
    call()
    call()
    assert "Cookie" not in peer.received[1].headers


def test_a_compressed_answer_is_read(peer):
    content = gzip.compress(json.dumps({"errcode": 0, "filler": "y" * 300_000}).encode())
    peer.answer("oa/applyevent", Raw(200, content, {"Content-Encoding": "gzip"}))
    assert len(call()["filler"]) == 300_000


def test_a_base_address_that_ends_in_cgi_bin_works_too(peer, settings):
    settings.WECOM_API_BASE_URL = f"{peer.url}/cgi-bin/"
    peer.answer("oa/applyevent", {"errcode": 0})
    assert call() == {"errcode": 0}


@pytest.mark.parametrize("base_url", [None, "http://host.invalid", "https://", "ftp://host.invalid"])
def test_a_call_that_never_left_is_safe_to_repeat(base_url, settings):
    settings.WECOM_API_BASE_URL = base_url or refused_url()
    with pytest.raises(RetryableError) as caught:
        call(writes=True)
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(
    "script",
    [
        Close(),
        Half(),
        Raw(502, b"<html>Bad Gateway</html>"),
        Raw(500, b'{"errcode": 0}'),
        Raw(200, b"<html>Log in to the hotel network</html>"),
        Raw(200, b"[1, 2]"),
        Raw(200, b""),
        Raw(200, b'{"errcode": 0, "sp_no": "2026'),
        Raw(200, b"\xff\xfe\xff"),
        Raw(302, b"", {"Location": "/elsewhere"}),
        Raw(200, b"not gzip", {"Content-Encoding": "gzip"}),
    ],
    ids=["closed", "half", "502", "500", "html", "array", "empty", "cut", "bytes", "redirect", "gzip"],
)
def test_an_unreadable_answer_leaves_a_write_open_and_a_read_repeatable(peer, script):
    peer.answer("oa/applyevent", script)
    with pytest.raises(OutcomeUnknown):
        call(writes=True)
    with pytest.raises(RetryableError) as caught:
        call(writes=False)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(peer.received) == 2  # nothing is repeated, nothing followed


@pytest.mark.parametrize("script", [Hang(), Drip()], ids=["silent", "dripping"])
def test_a_slow_answer_ends_at_the_deadline(peer, impatient, script):
    peer.answer("oa/applyevent", script)
    with pytest.raises(OutcomeUnknown):
        call(writes=True)
    with pytest.raises(RetryableError):
        call()


@pytest.mark.timed
def test_inside_patience_nobody_waits_longer_than_that(peer):
    peer.answer("oa/applyevent", Hang())
    started = time.monotonic()
    with pytest.raises(RetryableError), transport.patience(0.2):
        call()
    assert time.monotonic() - started < transport.READ_SECONDS / 2


def test_an_endless_answer_is_cut_off(peer, monkeypatch):
    monkeypatch.setattr(transport, "LONGEST_ANSWER", 100_000)
    peer.answer("oa/applyevent", {"filler": "z" * 200_000})
    with pytest.raises(RetryableError):
        call()


@pytest.mark.parametrize("script", [Close(), Raw(502, b""), Half()], ids=["closed", "502", "half"])
def test_no_failure_repeats_the_token(peer, script, caplog):
    caplog.set_level(logging.DEBUG)
    peer.answer("oa/applyevent", script)
    with pytest.raises(RetryableError) as caught:
        call()
    assert CANARY not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))
    assert caught.value.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in caplog.text


def test_a_refused_connection_does_not_repeat_the_token(settings, caplog):
    caplog.set_level(logging.DEBUG)
    settings.WECOM_API_BASE_URL = refused_url()
    with pytest.raises(RetryableError) as caught:
        call()
    assert caught.value.__context__ is None
    assert CANARY not in str(caught.value) + "".join(traceback.format_exception(caught.value)) + caplog.text
