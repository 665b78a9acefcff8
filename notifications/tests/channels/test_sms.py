"""Text messages: what every provider shares, and each provider's answers over a real socket."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
import time_machine
from django.utils import translation

from config.durable import NotYet, PermanentFailure, TemporaryFailure
from notifications import checks
from notifications.channels import sms, sms_aliyun, sms_tencent
from notifications.channels.base import Message
from notifications.channels.sms import SmsChannel
from notifications.channels.sms_errors import failure, until_tomorrow
from wecom.tests.peers import Close, Half, Hang, Peer, Raw, Received, Script, refused_url

PROVIDERS = ["tencent", "aliyun"]
HTML = Raw(200, b"<html>Login</html>", {"Content-Type": "text/html"})


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def message(**changes: Any) -> Message:
    given = {
        "key": "k",
        "address": "138-0013-8000",
        "body": "王先生，P-1001 已发货",
        "event": "project.status_changed",
        "sms_template": "SMS_123",
        "sms_parameters": {"name": "王先生", "number": "P-1001", "status": "已发货"},
    }
    return Message(**{**given, **changes})


def tencent(code: str = "Ok", serial: str = "2640:1001") -> dict[str, Any]:
    status = {"SerialNo": serial, "PhoneNumber": "+8613800138000", "Fee": 1, "Code": code, "Message": "send " + code}
    return {"Response": {"SendStatusSet": [status], "RequestId": "r-1"}}


def tencent_error(code: str, message: str = "no") -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "r-1"}}


def aliyun(code: str = "OK", message: str = "OK") -> dict[str, Any]:
    return {"Code": code, "Message": message, "RequestId": "r-1", "BizId": "9006^0"}


def status(number: int, body: dict[str, Any]) -> Raw:
    return Raw(number, json.dumps(body).encode(), {"Content-Type": "application/json"})


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    yield server
    server.close()


@pytest.fixture
def provider(settings: Any, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Peer]:
    """The provider that is named, at a local address, with the answer that is given."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)

    def choose(backend: str, *answers: Script) -> Peer:
        settings.SMS_BACKEND = backend
        settings.SMS_ACCESS_KEY_ID, settings.SMS_ACCESS_KEY_SECRET = "AKID-test", "secret-of-the-test"
        settings.SMS_SIGN_NAME, settings.SMS_APP_ID = "报价桥", "1400006666"
        settings.SMS_ENDPOINT = peer.url
        peer.answer("/", *answers)
        return peer

    return choose


class TestConsole:
    def test_it_writes_one_line_with_the_number_masked(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            assert SmsChannel().send(message(sms_template="")) == ""
        lines = [record for record in caplog.records if "sms" in record.getMessage()]
        assert len(lines) == 1
        assert "138****8000" in lines[0].getMessage()
        assert "已发货" in lines[0].getMessage()
        assert "13800138000" not in caplog.text

    def test_no_mobile_number_is_refused_for_good_without_repeating_it(self) -> None:
        with pytest.raises(PermanentFailure, match="mobile number") as refused:
            SmsChannel().send(message(address="0571-88887777"))
        assert "88887777" not in str(refused.value)


@pytest.mark.parametrize("backend", PROVIDERS)
class TestEveryProvider:
    def test_a_text_without_a_template_says_what_to_fill_in(self, provider: Callable[..., Peer], backend: str) -> None:
        peer = provider(backend, {})
        with pytest.raises(PermanentFailure, match=r"project\.status_changed"):
            SmsChannel().send(message(sms_template=""))
        assert not peer.received

    def test_a_missing_setting_is_named(self, provider: Callable[..., Peer], settings: Any, backend: str) -> None:
        provider(backend, {})
        settings.SMS_SIGN_NAME = ""
        with pytest.raises(PermanentFailure, match="SMS_SIGN_NAME"):
            SmsChannel().send(message())
        assert [(error.obj, error.id) for error in checks.sms_can_be_sent()] == [
            ("SMS_SIGN_NAME", checks.SMS_SETTING_MISSING)
        ]

    def test_a_missing_library_is_named(
        self, provider: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch, backend: str
    ) -> None:
        provider(backend, {})
        assert checks.sms_can_be_sent() == []
        for name in ("tencentcloud", "tencentcloud.sms", "tencentcloud.sms.v20210111", "alibabacloud_dysmsapi20170525"):
            monkeypatch.setitem(sys.modules, name, None)
        [error] = checks.sms_can_be_sent()
        assert (error.obj, error.id) == ("SMS_BACKEND", checks.SDK_MISSING)
        assert checks.PACKAGES[backend][1] in error.msg
        with pytest.raises(PermanentFailure, match=r"requirements-sms\.txt"):
            SmsChannel().send(message())

    @pytest.mark.parametrize(
        "answer", [Close(), Half(), HTML, Raw(502, b"bad gateway"), {"nothing": 1}, Raw(200, b"[]")]
    )
    def test_no_readable_answer_is_tried_again(
        self, provider: Callable[..., Peer], backend: str, answer: Script
    ) -> None:
        provider(backend, answer)
        with pytest.raises(TemporaryFailure) as failure:
            SmsChannel().send(message())
        assert not isinstance(failure.value, NotYet)

    def test_nobody_there_is_tried_again(self, provider: Callable[..., Peer], settings: Any, backend: str) -> None:
        provider(backend, {})
        settings.SMS_ENDPOINT = refused_url()
        with pytest.raises(TemporaryFailure):
            SmsChannel().send(message())

    @pytest.mark.timed
    def test_silence_ends_after_the_time_out(
        self, provider: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch, backend: str
    ) -> None:
        module = {"tencent": sms_tencent, "aliyun": sms_aliyun}[backend]
        monkeypatch.setattr(module, "READ_SECONDS", 0.3)
        module._made.cache_clear()
        peer = provider(backend, Hang())
        started = time.monotonic()
        with pytest.raises(TemporaryFailure):
            SmsChannel().send(message())
        assert time.monotonic() - started < 3
        assert len(peer.received) == 1  # the library repeats nothing by itself
        module._made.cache_clear()

    def test_neither_number_nor_secret_is_logged(
        self, provider: Callable[..., Peer], backend: str, caplog: pytest.LogCaptureFixture, capfd: Any
    ) -> None:
        provider(backend, tencent() if backend == "tencent" else aliyun())
        with caplog.at_level(logging.DEBUG):
            SmsChannel().send(message())
        printed = capfd.readouterr()
        for text in (caplog.text, printed.out, printed.err):
            assert "13800138000" not in text
            assert "secret-of-the-test" not in text


class TestTencent:
    def test_the_parameters_go_as_a_list_in_their_order(self, provider: Callable[..., Peer]) -> None:
        peer = provider("tencent", tencent())
        assert SmsChannel().send(message()) == "2640:1001"
        [request] = peer.received
        assert request.body == {
            "PhoneNumberSet": ["+8613800138000"],
            "SmsSdkAppId": "1400006666",
            "TemplateId": "SMS_123",
            "SignName": "报价桥",
            "TemplateParamSet": ["王先生", "P-1001", "已发货"],
        }
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["x-tc-region"] == "ap-guangzhou"
        assert headers["x-tc-action"] == "SendSms"
        assert "Credential=AKID-test/" in headers["authorization"]

    def test_the_region_is_the_settings(self, provider: Callable[..., Peer], settings: Any) -> None:
        peer = provider("tencent", tencent())
        settings.SMS_REGION = "ap-nanjing"
        SmsChannel().send(message())
        assert {name.lower(): value for name, value in peer.received[0].headers.items()}["x-tc-region"] == "ap-nanjing"

    @pytest.mark.parametrize(
        ("code", "seconds"),
        [
            ("LimitExceeded.PhoneNumberThirtySecondLimit", 30),
            ("LimitExceeded.PhoneNumberOneHourLimit", 3600),
            ("LimitExceeded.DeliveryFrequencyLimit", 60),
        ],
    )
    def test_flow_control_holds_back_as_long_as_it_lasts(
        self, provider: Callable[..., Peer], code: str, seconds: int
    ) -> None:
        provider("tencent", tencent(code))
        with pytest.raises(NotYet) as waits:
            SmsChannel().send(message())
        assert waits.value.retry_after == seconds

    def test_the_days_limit_waits_for_the_next_day_in_china(self, provider: Callable[..., Peer]) -> None:
        provider("tencent", tencent("LimitExceeded.PhoneNumberDailyLimit"))
        with time_machine.travel("2026-03-01T15:00:00Z", tick=False), pytest.raises(NotYet) as waits:  # 23:00 there
            SmsChannel().send(message())
        assert waits.value.retry_after == 61 * 60

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (tencent("FailedOperation.SignatureIncorrectOrUnapproved"), "SMS_SIGN_NAME"),
            (tencent("FailedOperation.TemplateIncorrectOrUnapproved"), "template"),
            (tencent("FailedOperation.PhoneNumberInBlacklist"), "refused texts"),
            (tencent_error("AuthFailure.SignatureFailure"), "SMS_ACCESS_KEY_SECRET"),
            (tencent_error("InvalidParameterValue.SdkAppIdNotExist"), "SMS_APP_ID"),
            (tencent_error("FailedOperation.NeverHeardOf"), "FailedOperation.NeverHeardOf"),
            (tencent_error("InvalidParameter"), "InvalidParameter"),
        ],
    )
    def test_a_refusal_is_for_good_and_says_what_to_do(
        self, provider: Callable[..., Peer], answer: dict[str, Any], words: str
    ) -> None:
        provider("tencent", answer)
        with pytest.raises(PermanentFailure, match=words.replace(".", r"\.")):
            SmsChannel().send(message())

    def test_a_failure_of_its_own_is_tried_again(self, provider: Callable[..., Peer]) -> None:
        provider("tencent", tencent_error("InternalError.SendAndRecvFail"))
        with pytest.raises(TemporaryFailure, match="again"):
            SmsChannel().send(message())


class TestAlibaba:
    def test_the_parameters_go_by_name(self, provider: Callable[..., Peer]) -> None:
        peer = provider("aliyun", aliyun())
        assert SmsChannel().send(message()) == "9006^0"
        sent = _fields(peer.received[0])
        assert sent["PhoneNumbers"] == "13800138000"
        assert sent["SignName"] == "报价桥"
        assert sent["TemplateCode"] == "SMS_123"
        assert json.loads(sent["TemplateParam"]) == {"name": "王先生", "number": "P-1001", "status": "已发货"}

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("触发分钟级流控Permits:1", 60), ("触发小时级流控Permits:5", 3600), ("触发别的流控", 3600)],
    )
    def test_flow_control_is_told_by_its_text(self, provider: Callable[..., Peer], text: str, seconds: int) -> None:
        provider("aliyun", aliyun("isv.BUSINESS_LIMIT_CONTROL", text))
        with pytest.raises(NotYet) as waits:
            SmsChannel().send(message())
        assert waits.value.retry_after == seconds

    def test_the_days_limit_waits_for_the_next_day(self, provider: Callable[..., Peer]) -> None:
        provider("aliyun", aliyun("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:40"))
        with pytest.raises(NotYet) as waits:
            SmsChannel().send(message())
        assert 0 < waits.value.retry_after <= 24 * 3600 + 60

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (aliyun("isv.MOBILE_NUMBER_ILLEGAL", "号码错误"), "number"),
            (aliyun("isv.SMS_SIGNATURE_ILLEGAL", "签名不合法"), "SMS_SIGN_NAME"),
            (aliyun("isv.TEMPLATE_MISSING_PARAMETERS", "缺少变量"), "template"),
            (aliyun("isv.AMOUNT_NOT_ENOUGH", "余额不足"), "account"),
            (aliyun("isv.SOMETHING_NEW", "新的"), "isv.SOMETHING_NEW"),
            (status(404, {"Code": "InvalidAccessKeyId.NotFound", "Message": "no"}), "SMS_ACCESS_KEY_ID"),
            (status(400, {"Code": "SignatureDoesNotMatch", "Message": "no"}), "SMS_ACCESS_KEY_SECRET"),
        ],
    )
    def test_a_refusal_is_for_good_and_says_what_to_do(
        self, provider: Callable[..., Peer], answer: Script, words: str
    ) -> None:
        provider("aliyun", answer)
        with pytest.raises(PermanentFailure, match=words.replace(".", r"\.")):
            SmsChannel().send(message())

    @pytest.mark.parametrize(
        "answer", [aliyun("isp.SYSTEM_ERROR", "busy"), status(503, {"Code": "ServiceUnavailable", "Message": "later"})]
    )
    def test_a_failure_of_its_own_is_tried_again(self, provider: Callable[..., Peer], answer: Script) -> None:
        provider("aliyun", answer)
        with pytest.raises(TemporaryFailure, match="again"):
            SmsChannel().send(message())

    def test_throttling_waits(self, provider: Callable[..., Peer]) -> None:
        provider("aliyun", status(400, {"Code": "Throttling.User", "Message": "slow down"}))
        with pytest.raises(NotYet):
            SmsChannel().send(message())


def _fields(request: Received) -> dict[str, str]:
    return request.query | dict(parse_qsl(request.content.decode()))


def test_the_endpoint_may_name_its_protocol(settings: Any) -> None:
    assert sms.endpoint() is None
    settings.SMS_ENDPOINT = "sms.internal.example/"
    assert sms.endpoint() == ("https", "sms.internal.example")
    settings.SMS_ENDPOINT = "http://127.0.0.1:8"
    assert sms.endpoint() == ("http", "127.0.0.1:8")


@pytest.mark.parametrize("said", ["13800138000", "+8613800138000", "8613800138000"])
def test_a_number_that_the_provider_repeats_is_masked(said: str) -> None:
    """Our sentence stands in logs, in alerts and in a list whose readers may not see numbers."""
    sentence = str(failure({}, "isv.MOBILE", f"number {said} is refused, template SMS_1234567"))
    assert "00138" not in sentence and "****8000 is refused, template SMS_1234567" in sentence


def test_tomorrow_is_chinas() -> None:
    from datetime import UTC, datetime

    assert until_tomorrow(datetime(2026, 3, 1, 15, 59, tzinfo=UTC)) == 120  # 23:59 there
    assert until_tomorrow(datetime(2026, 3, 1, 16, 0, tzinfo=UTC)) == 24 * 3600 + 60
