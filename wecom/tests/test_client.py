"""A whole call: token, budget, exchange, one forced refresh, pauses."""

from __future__ import annotations

import threading

import pytest

from wecom.budgets import pause_key
from wecom.client import WeComClient, for_config
from wecom.errors import OutcomeUnknown, PermanentError, QuotaError, RetryableError, TokenError
from wecom.redis import redis
from wecom.tests.conftest import CANARY_SECRET
from wecom.tests.peers import Close, Peer, Received
from wecom.tests.test_tokens import in_processes, token_answer
from wecom.tokens import app_key

DETAIL = "oa/getapprovaldetail"
EXPIRED = {"errcode": 42001, "errmsg": "access_token expired, hint: [1_2_3], from ip: 203.0.113.9"}


class TokenCounter:
    """WeCom's side of a token: each gettoken makes a new one, only the newest is accepted."""

    def __init__(self, peer: Peer, refusal: dict = EXPIRED) -> None:
        self._lock = threading.Lock()
        self.issued = 0
        self.valid = ""
        self._refusal = refusal
        peer.answer("gettoken", self.issue)
        peer.answer(DETAIL, self.check)

    def issue(self, _request: Received) -> dict:
        with self._lock:
            self.issued += 1
            self.valid = f"token-{self.issued}"
            return token_answer(self.valid)

    def check(self, request: Received) -> dict:
        with self._lock:
            return {"errcode": 0} if request.query["access_token"] == self.valid else self._refusal


def test_a_call_carries_the_token_and_returns_the_answer(wecom_client, peer):
    peer.answer(DETAIL, {"errcode": 0, "errmsg": "ok", "info": {"sp_no": "1"}})
    peer.answer("getcallbackip", {"ip_list": ["203.0.113.1"]})
    assert wecom_client.post(DETAIL, {"sp_no": "1"})["info"] == {"sp_no": "1"}
    assert wecom_client.get("getcallbackip", {"page": "2"})["ip_list"] == ["203.0.113.1"]
    assert [request.query for request in peer.received[1:]] == [
        {"access_token": "token-1"},
        {"access_token": "token-1", "page": "2"},
    ]


@pytest.mark.parametrize("errcode", [40014, 42001, 40001])
def test_a_refused_token_is_renewed_once_and_the_call_repeated(wecom_client, peer, errcode):
    company = TokenCounter(peer, {"errcode": errcode, "errmsg": "no"})
    wecom_client.post(DETAIL, {})
    company.valid = "gone early"
    assert wecom_client.post(DETAIL, {"sp_no": "7"}, writes=True) == {"errcode": 0}
    assert company.issued == 2
    assert [request.body for request in peer.calls(DETAIL)[-2:]] == [{"sp_no": "7"}] * 2


@pytest.mark.parametrize(("errcode", "expected"), [(40014, TokenError), (42001, TokenError), (40001, PermanentError)])
def test_a_fresh_token_that_is_refused_too_ends_the_call(wecom_client, peer, errcode, expected):
    peer.answer(DETAIL, {"errcode": errcode, "errmsg": "no"})
    with pytest.raises(expected) as caught:
        wecom_client.post(DETAIL, {})
    assert type(caught.value) is expected
    assert (len(peer.calls(DETAIL)), len(peer.calls("gettoken"))) == (2, 2)


def test_a_token_that_ends_in_the_middle_of_a_herd_costs_one_gettoken(peer, app):
    company = TokenCounter(peer)
    for_config(app).post(DETAIL, {})
    company.valid = "gone early"
    assert in_processes(lambda: for_config(app).post(DETAIL, {})) == [{"errcode": 0}] * 16
    assert company.issued == 2


def test_a_token_that_is_never_accepted_cannot_use_up_gettoken(wecom_client, peer):
    peer.answer(DETAIL, EXPIRED)
    failures = []
    for _attempt in range(40):
        with pytest.raises((TokenError, QuotaError)) as caught:
            wecom_client.post(DETAIL, {})
        failures.append(type(caught.value))
        if QuotaError in failures:
            break
    assert failures[-1] is QuotaError
    assert len(peer.calls("gettoken")) < 40


def test_45009_pauses_the_endpoint_for_every_process(wecom_client, peer, app):
    peer.answer(DETAIL, {"errcode": 45009, "errmsg": "api freq out of limit, hint: [1_2_3]"})
    peer.answer("oa/getapprovalinfo", {"errcode": 0})
    for _attempt in range(3):
        with pytest.raises(QuotaError) as caught:
            WeComClient(app).post(DETAIL, {})
        assert caught.value.retry_after == pytest.approx(60, abs=10)
    assert len(peer.calls(DETAIL)) == 1
    assert wecom_client.post("oa/getapprovalinfo", {}) == {"errcode": 0}


def test_45009_after_a_pause_means_an_hour_until_a_call_succeeds(wecom_client, peer, app):
    refused, done = {"errcode": 45009, "errmsg": "api freq out of limit"}, {"errcode": 0, "userlist": []}

    def pause_of(answer):
        peer.answer("user/list", answer)
        redis().delete(pause_key(app_key(app), "user/list"))  # it is over
        try:
            wecom_client.get("user/list", {})
        except QuotaError as error:
            return error.retry_after
        return 0

    assert [pause_of(answer) for answer in (refused, refused, refused, done, refused)] == [60, 3600, 3600, 0, 60]


def test_a_lost_answer_is_not_repeated(wecom_client, peer):
    peer.answer("oa/applyevent", Close())
    with pytest.raises(OutcomeUnknown):
        wecom_client.post("oa/applyevent", {}, writes=True)
    assert len(peer.calls("oa/applyevent")) == 1


def test_a_permanent_answer_is_not_repeated(wecom_client, peer):
    peer.answer("oa/applyevent", {"errcode": 301055, "errmsg": "no permission"})
    with pytest.raises(PermanentError):
        wecom_client.post("oa/applyevent", {}, writes=True)
    assert len(peer.calls("oa/applyevent")) == 1


def test_a_call_logs_endpoint_code_and_hint_but_no_secret(wecom_client, peer, caplog):
    caplog.set_level("DEBUG")
    peer.answer("gettoken", token_answer("canary-token-77aa"))
    peer.answer(DETAIL, {"errcode": 301055, "errmsg": "token canary-token-77aa refused, hint: [9_8_7]"})
    with pytest.raises(PermanentError) as caught:
        wecom_client.post(DETAIL, {})
    assert all(word in caplog.text for word in (DETAIL, "301055", "9_8_7"))
    for canary in ("canary-token-77aa", CANARY_SECRET):
        assert canary not in caplog.text
        assert canary not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))


def test_calls_go_on_when_redis_is_back(wecom_client, peer, settings, valkey):
    settings.REDIS_URL = valkey.url
    peer.answer(DETAIL, {"errcode": 0})
    wecom_client.post(DETAIL, {})
    valkey.kill()
    with pytest.raises(RetryableError, match="REDIS_URL"):
        wecom_client.post(DETAIL, {})
    valkey.start()
    assert wecom_client.post(DETAIL, {}) == {"errcode": 0}
    assert len(peer.calls(DETAIL)) == 2
