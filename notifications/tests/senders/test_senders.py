"""Alert addresses: which sender takes one, what it says, and how it judges the answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import translation

from config.durable import NotYet, PermanentFailure, TemporaryFailure
from notifications.senders import Alert, UnknownAddress, http, sender_for
from wecom.tests.peers import Close, Drip, Half, Hang, Peer, Raw, Script, refused_url

ALERT = Alert("incident.opened", "Quotebridge: 磁盘已满", "95 %\n请清理。")


@dataclass(frozen=True, slots=True)
class Kind:
    """One robot: its address below the server, and what it says."""

    name: str
    path: str
    endpoint: str
    success: dict[str, Any]
    busy: dict[str, Any]
    refusal: dict[str, Any]
    remedy: str


ROBOTS = [
    Kind(
        "WeComRobot",
        "/cgi-bin/webhook/send?key=693a91f6-7xxx",
        "webhook/send",
        {"errcode": 0, "errmsg": "ok"},
        {"errcode": 45009, "errmsg": "api freq out of limit"},
        {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1]"},
        "another one",
    ),
    Kind(
        "DingTalk",
        "/robot/send?access_token=abcdef1234567890",
        "/robot/send",
        {"errcode": 0, "errmsg": "ok"},
        {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"},
        {"errcode": 310000, "errmsg": "keywords not in content"},
        "keyword",
    ),
    Kind(
        "Feishu",
        "/open-apis/bot/v2/hook/0f1e2d3c-4b5a",
        "/open-apis/bot/v2/hook/0f1e2d3c-4b5a",
        {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"},
        {"code": 11232, "msg": "frequency limited"},
        {"code": 19024, "msg": "Key Words Not Found"},
        "keyword",
    ),
]


def deliver(peer: Peer, path: str) -> None:
    url = peer.url + path
    sender_for(url).send(url, ALERT)


@pytest.mark.parametrize("robot", ROBOTS, ids=lambda robot: robot.name)
class TestRobots:
    def test_it_is_known_by_its_path(self, robot: Kind) -> None:
        for host in ("https://robots.example", "http://proxy.internal:8080"):
            assert type(sender_for(host + robot.path)).__name__ == robot.name

    def test_it_gets_the_whole_text(self, peer: Peer, robot: Kind) -> None:
        peer.answer(robot.endpoint, robot.success)
        deliver(peer, robot.path)
        [request] = peer.calls(robot.endpoint)
        text = request.body["text"]["content"] if "text" in request.body else request.body["content"]["text"]
        assert text == "Quotebridge: 磁盘已满\n95 %\n请清理。"
        assert "磁盘".encode() in request.content  # real UTF-8

    def test_a_refusal_inside_a_200_is_none_of_a_success(self, peer: Peer, robot: Kind) -> None:
        peer.answer(robot.endpoint, robot.refusal)
        with translation.override("en"), pytest.raises(PermanentFailure, match=robot.remedy):
            deliver(peer, robot.path)

    def test_its_own_flow_control_waits(self, peer: Peer, robot: Kind) -> None:
        peer.answer(robot.endpoint, robot.busy)
        with pytest.raises(NotYet) as waits:
            deliver(peer, robot.path)
        assert waits.value.retry_after >= 60

    @pytest.mark.parametrize(
        "answer", [Raw(200, b"<html>portal</html>"), Raw(200, b"[]"), {"hello": 1}, Close(), Half(), Raw(503, b"")]
    )
    def test_anything_that_is_not_its_answer_is_tried_again(self, peer: Peer, robot: Kind, answer: Script) -> None:
        peer.answer(robot.endpoint, answer)
        with pytest.raises(TemporaryFailure) as failure:
            deliver(peer, robot.path)
        assert not isinstance(failure.value, NotYet)

    def test_a_long_text_is_cut_to_what_a_robot_takes(self, peer: Peer, robot: Kind) -> None:
        peer.answer(robot.endpoint, robot.success)
        url = peer.url + robot.path
        sender_for(url).send(url, Alert("incident.opened", "t", "价" * 5000))
        body = peer.calls(robot.endpoint)[0].body
        text = body["text"]["content"] if "text" in body else body["content"]["text"]
        assert len(text.encode()) <= 2000


class TestSigning:
    def test_dingtalk_signs_the_call_and_keeps_the_secret(self, peer: Peer) -> None:
        peer.answer("/robot/send", {"errcode": 0})
        deliver(peer, "/robot/send?access_token=abc&secret=SEC0123")
        query = peer.received[0].query
        assert set(query) == {"access_token", "timestamp", "sign"}
        assert abs(int(query["timestamp"]) / 1000 - time.time()) < 60
        told = hmac.new(b"SEC0123", f"{query['timestamp']}\nSEC0123".encode(), hashlib.sha256).digest()
        assert query["sign"] == base64.b64encode(told).decode()

    def test_feishu_signs_the_message_and_keeps_the_secret(self, peer: Peer) -> None:
        peer.answer("/open-apis/bot/v2/hook/x", {"code": 0})
        deliver(peer, "/open-apis/bot/v2/hook/x?secret=s3cr3t")
        [request] = peer.received
        assert request.query == {}
        assert abs(int(request.body["timestamp"]) - time.time()) < 60
        told = hmac.new(f"{request.body['timestamp']}\ns3cr3t".encode(), b"", hashlib.sha256).digest()
        assert request.body["sign"] == base64.b64encode(told).decode()

    def test_without_a_secret_nothing_is_signed(self, peer: Peer) -> None:
        peer.answer("/open-apis/bot/v2/hook/x", {"code": 0})
        deliver(peer, "/open-apis/bot/v2/hook/x")
        assert set(peer.received[0].body) == {"msg_type", "content"}


class TestWebhook:
    def test_it_gets_event_title_and_text(self, peer: Peer) -> None:
        peer.answer("/hooks/ops", Raw(204))
        deliver(peer, "/hooks/ops")
        assert peer.received[0].body == {"event": ALERT.event, "title": ALERT.title, "text": ALERT.text}

    @pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410])
    def test_what_a_repetition_cannot_help_is_for_good(self, peer: Peer, status: int) -> None:
        peer.answer("/hooks/ops", Raw(status, b"", {"Location": peer.url + "/elsewhere"}))
        with pytest.raises(PermanentFailure, match=str(status)):
            deliver(peer, "/hooks/ops")
        assert len(peer.received) == 1  # no redirect is followed

    @pytest.mark.parametrize(("told", "seconds"), [("120", 120), ("", 60), ("soon", 60), ("999999", 3600)])
    def test_429_waits_as_long_as_it_says(self, peer: Peer, told: str, seconds: int) -> None:
        peer.answer("/hooks/ops", Raw(429, b"", {"Retry-After": told} if told else {}))
        with pytest.raises(NotYet) as waits:
            deliver(peer, "/hooks/ops")
        assert waits.value.retry_after == seconds

    def test_nobody_there_is_tried_again(self) -> None:
        url = refused_url() + "/hooks/ops"
        with pytest.raises(TemporaryFailure) as failure:
            sender_for(url).send(url, ALERT)
        assert "hooks" not in str(failure.value)
        assert failure.value.__context__ is None

    @pytest.mark.timed
    @pytest.mark.parametrize("answer", [Hang(), Drip()])
    def test_a_slow_one_costs_its_time_out_and_no_more(
        self, peer: Peer, monkeypatch: pytest.MonkeyPatch, answer: Script
    ) -> None:
        monkeypatch.setattr(http, "CONNECT_SECONDS", 0.2)
        monkeypatch.setattr(http, "READ_SECONDS", 0.3)
        peer.answer("/hooks/ops", answer)
        started = time.monotonic()
        with pytest.raises(TemporaryFailure):
            deliver(peer, "/hooks/ops")
        assert time.monotonic() - started < 3


class TestLongTail:
    def test_apprises_verdict_is_believed(self, peer: Peer) -> None:
        url = peer.url.replace("http://", "json://") + "/hooks/key"
        peer.answer("/hooks/key", Raw(200, b"{}"), Raw(500, b"{}"))
        sender_for(url).send(url, ALERT)
        assert peer.received[0].body["title"] == ALERT.title
        with pytest.raises(TemporaryFailure, match="Apprise"):
            sender_for(url).send(url, ALERT)

    @pytest.mark.parametrize(
        "url",
        [
            "ntfys://token-of-a-topic/alerts",
            "tgram://123456789:abcdefg_hijklmnop/lead2gold/",
            "mailtos://user:password@example.com?to=ops@example.org",
        ],
    )
    def test_only_the_scheme_of_its_address_is_shown(self, url: str) -> None:
        assert sender_for(url).shown(urlsplit(url)) == f"{url.partition(':')[0]}://…"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "https://",
        "https://host:99999/x",
        "http://[::1/x",
        "nosuch://host/key",
        "wecombot://botkey",  # Apprise takes their error codes for success
        "dingtalk://token",
        "feishu://token",
        "lark://token",
    ],
)
def test_an_address_nobody_sends_to_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UnknownAddress) as refused:
        sender_for(url)
    assert str(refused.value)
    assert "token" not in str(refused.value)


def test_no_key_reaches_a_log_line() -> None:
    from config.logging import redact_text
    from notifications.alert_addresses import known_address

    known_address("https://robots.example/cgi-bin/webhook/send?key=693a91f6-7d3b-4bc4-97a0-0ec2sifa5aaa")
    known_address("https://robots.example/open-apis/bot/v2/hook/0f1e2d3c-4b5a-6978")
    known_address("tgram://123456789:abcdefg_hijklmnop/lead2gold/")
    line = redact_text(
        'robots.example "POST /cgi-bin/webhook/send?key=693a91f6-7d3b-4bc4-97a0-0ec2sifa5aaa HTTP/1.1" 200; '
        "key 693a91f6-7d3b-4bc4-97a0-0ec2sifa5aaa; hook 0f1e2d3c-4b5a-6978; "
        "bot 123456789:abcdefg_hijklmnop"
    )
    assert "693a91f6" not in line
    assert "0f1e2d3c" not in line
    assert "hijklmnop" not in line
