"""Signatures of pages for the JS-SDK, against the fact sheet's vector; tickets asked for once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from wecom.client import WeComClient
from wecom.errors import PermanentError, RetryableError
from wecom.jssdk import EARLY, sign, signature_for, ticket_of
from wecom.redis import redis
from wecom.tests.peers import Peer
from wecom.tokens import app_key

PAGE = "https://quotes.example.test/wecom/approve/?id=42&v=1"


def answer(ticket: str, seconds: int = 7200) -> dict[str, object]:
    return {"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": seconds}


@pytest.mark.parametrize("url", [PAGE, f"{PAGE}#wechat_redirect"])
def test_the_vector_of_the_fact_sheet(url: str) -> None:
    made = sign("jstkt-AAAABBBBCCCC0001", "n0nceXYZ12", 1767225600, url)
    assert made == "1d5e7e64fa59f138e4a11256e782ff4e8b30b99e"


def test_the_two_tickets_are_not_mixed_up(peer: Peer, wecom_client: WeComClient) -> None:
    peer.answer("get_jsapi_ticket", answer("of-the-company"))
    peer.answer("ticket/get", answer("of-the-app"))
    for kind, ticket in (("corp", "of-the-company"), ("app", "of-the-app")):
        made = signature_for(wecom_client, kind, PAGE)  # type: ignore[arg-type]
        assert made.signature == sign(ticket, made.nonce, made.timestamp, PAGE)
    assert peer.calls("ticket/get")[0].query["type"] == "agent_config"
    assert "type" not in peer.calls("get_jsapi_ticket")[0].query


def test_a_ticket_is_asked_for_once_and_given_up_before_it_ends(peer: Peer, wecom_client: WeComClient) -> None:
    peer.answer("get_jsapi_ticket", answer("t1", EARLY + 60))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _n: ticket_of(wecom_client, "corp"), range(16))) == {"t1"}
    assert len(peer.calls("get_jsapi_ticket")) == 1
    key = f"{app_key(wecom_client.config)}:ticket:corp"
    assert 0 < redis().ttl(key) <= 60
    redis().delete(key)
    peer.answer("get_jsapi_ticket", answer("t2"))
    assert ticket_of(wecom_client, "corp") == "t2"


def test_what_wecom_refuses_is_kept_by_nobody(peer: Peer, wecom_client: WeComClient) -> None:
    peer.answer("ticket/get", {"errcode": 48002, "errmsg": "api forbidden"}, answer("t1"))
    with pytest.raises(PermanentError):
        ticket_of(wecom_client, "app")
    assert ticket_of(wecom_client, "app") == "t1"


def test_an_answer_without_a_ticket_is_repeated_later(peer: Peer, wecom_client: WeComClient) -> None:
    peer.answer("get_jsapi_ticket", {"errcode": 0, "errmsg": "ok"})
    with pytest.raises(RetryableError):
        ticket_of(wecom_client, "corp")
