"""Every fault that the stand-in knows, and what the doctor says while it is on: the right check, the right remedy.

One house for all of them. The doctor runs in this process, over the house's database and Redis, against its WeCom.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import translation

from approvals.models import SyncOperation
from approvals.tests.e2e.clients import QuoteOnApi
from approvals.tests.e2e.house import House
from approvals.tests.e2e.test_doctor import CHECKS, hire_superuser
from approvals.tests.traffic.conftest import sent_long_ago
from config.heartbeat import beat_heart
from config.testing.processes import wait_until
from wecom import doctor_asking
from wecom.standin.faults import FAULT_KINDS

TOKEN, ADDRESS, TEMPLATE = "WeCom access token", "Trusted address", "Approval template"
FORMS, SENT, ARRIVE = "Forms in WeCom", "Sent to WeCom", "Callbacks arrive"
RIGHTS, READING = "Rights of the apps", "Reading from WeCom"
CALLS = frozenset({TOKEN, ADDRESS, TEMPLATE, FORMS, RIGHTS, READING})
"""What is asked of WeCom at once; a fault of everything is seen by all of them."""
NETWORK = "Check WECOM_API_BASE_URL"
OWN_TROUBLE = "The trouble is WeCom's own."
PAUSED = "Wait until the pause is over"
SLOW = "Look for what is slow"


@dataclass(frozen=True)
class Line:
    ok: bool
    sentence: str
    remedy: str


class Surgery:
    """The doctor in this process."""

    def __init__(self, house: House) -> None:
        self.house = house

    @contextmanager
    def inside(self) -> Iterator[None]:
        """As a process of the house, in English."""
        environment = self.house.stack.environment
        names = ("REDIS_URL", "API_BASE_URL", "WECOM_API_BASE_URL", "WECOM_CALLBACK_URL")
        with (
            self.house.database.opened(),
            override_settings(**{name: environment[name] for name in names}),
            translation.override("en"),
        ):
            yield

    def visit(self) -> dict[str, Line]:
        """What the command prints, by the check's title."""
        out = io.StringIO()
        with self.inside():
            beat_heart("beat")  # the house has none, whose schedules would come in between
            with suppress(CommandError):
                call_command("doctor", stdout=out, no_color=True)
        return dict(self._lines(out.getvalue().splitlines()))

    def _lines(self, printed: list[str]) -> Iterator[tuple[str, Line]]:
        for place, line in enumerate(printed):
            verdict, _blank, rest = line.partition(" ")
            if verdict not in ("ok", "FAILED"):
                continue
            title, _colon, sentence = rest.strip().partition(": ")
            below = printed[place + 1].strip() if place + 1 < len(printed) else ""
            yield title, Line(verdict == "ok", sentence, below.removeprefix("→ ") if below.startswith("→") else "")

    def failing(self) -> dict[str, Line]:
        return {title: line for title, line in self.visit().items() if not line.ok}

    def heal(self) -> None:
        """Faults off, what they held let go, and nothing left of what they made us careful with."""
        self.house.phone.heal()
        self.house.phone.release("same")
        redis = self.house.redis()
        for key in redis.scan_iter("wecom:*"):
            redis.delete(key)

    def compare(self) -> None:
        with self.inside():
            call_command("reconcile_approvals", stdout=io.StringIO())


@pytest.fixture(scope="module")
def _surgery(build: Callable[..., House]) -> Iterator[Surgery]:
    house: House = build().open()
    hire_superuser(house)
    decided(house)
    yield Surgery(house)
    house.finish()


@pytest.fixture
def surgery(_surgery: Surgery) -> Iterator[Surgery]:
    _surgery.heal()
    yield _surgery
    _surgery.heal()


def decided(house: House) -> QuoteOnApi:
    """A quote that went all the way, callbacks included."""
    quote = house.li.submitted()
    house.phone.act(quote.sp_no, "agree")
    quote.await_status("approved", timeout=15)
    quote.await_entry("approve", "wecom", timeout=15)
    return quote


def test_the_house_is_well(surgery: Surgery):
    lines = surgery.visit()
    assert [line for line in lines.values() if not line.ok] == []
    assert len(lines) == CHECKS


REFUSED = [
    # endpoint, errcode, the check, a part of its remedy
    ("gettoken", 40013, TOKEN, "Enter corp ID and secret again"),
    ("gettoken", 60020, TOKEN, "企业可信IP"),
    ("gettoken", -1, TOKEN, OWN_TROUBLE),
    ("gettoken", 45009, TOKEN, PAUSED),
    ("getcallbackip", 60020, ADDRESS, "企业可信IP"),
    ("oa/gettemplatedetail", 301025, TEMPLATE, "Suggest mapping"),
    ("oa/gettemplatedetail", 301088, TEMPLATE, "Give the app this permission"),
    ("oa/getapprovaldetail", 301055, FORMS, "可调用接口的应用"),
    ("oa/getapprovalinfo", 301055, RIGHTS, "应用管理 → 审批 → 可调用接口的应用"),
    ("oa/getapprovalinfo", -1, RIGHTS, OWN_TROUBLE),
    ("message/send", 48002, RIGHTS, "可见范围"),
    ("message/send", 45009, RIGHTS, PAUSED),
    ("message/send", 43012, RIGHTS, "设置API接收"),
    ("department/simplelist", 60011, RIGHTS, "可见范围"),
    ("department/simplelist", 40014, RIGHTS, OWN_TROUBLE),
    ("externalcontact/get_follow_user_list", 84074, RIGHTS, "客户联系 → 可调用接口的应用"),
    ("department/list", 48002, READING, "Give the app this permission"),
    ("department/get", 60011, READING, "可见范围"),
    ("user/list", 60011, READING, "可见范围"),
    ("user/simplelist", 48002, READING, "Give the app this permission"),
    ("user/get", 48002, READING, "Give the app this permission"),
    ("externalcontact/get_corp_tag_list", 84074, READING, "客户联系 → 可调用接口的应用"),
    ("externalcontact/batch/get_by_user", 48002, READING, "客户联系 → 可调用接口的应用"),
    ("externalcontact/get", 84074, READING, "客户联系 → 可调用接口的应用"),
    ("auth/getuserinfo", 50001, READING, "可信域名"),
]


@pytest.mark.parametrize(("endpoint", "errcode", "title", "remedy"), REFUSED)
def test_a_call_that_wecom_refuses(surgery: Surgery, endpoint: str, errcode: int, title: str, remedy: str):
    surgery.house.phone.fault("errcode", endpoint=endpoint, errcode=errcode)
    failing = surgery.failing()
    assert title in failing, failing
    assert remedy in failing[title].remedy
    if endpoint != "gettoken":  # without a token nothing else can be asked
        assert set(failing) == {title}


def test_a_secret_that_wecom_no_longer_takes_although_a_token_is_cached(surgery: Surgery):
    surgery.visit()
    surgery.house.phone.fault("wrong_secret")
    failing = surgery.failing()
    assert set(failing) == {TOKEN}
    assert "Enter corp ID and secret again" in failing[TOKEN].remedy
    assert "asked again in" in surgery.failing()[TOKEN].remedy  # by the breaker, without asking


BROKEN = [
    ("http_status", {}, "HTTP status 502", NETWORK),
    ("close_before", {}, "connection to WeCom broke", NETWORK),
    ("close_after", {}, "connection to WeCom broke", NETWORK),
    ("slow", {"seconds": 0.6}, "to answer", SLOW),
    ("errcode", {"errcode": 45009}, "limit of calls", PAUSED),
]


@pytest.mark.parametrize(("kind", "parameters", "sentence", "remedy"), BROKEN)
def test_a_wecom_that_answers_nothing_well(
    surgery: Surgery,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    parameters: dict[str, Any],
    sentence: str,
    remedy: str,
):
    monkeypatch.setattr(doctor_asking, "TOO_SLOW", 0.5)
    surgery.visit()  # a token is cached, as ever
    surgery.house.phone.fault(kind, **parameters)
    failing = surgery.failing()
    assert set(failing) == CALLS
    for line in failing.values():
        assert sentence in line.sentence
        assert remedy in line.remedy


def test_a_wecom_that_hangs_costs_each_check_its_patience_and_no_more(
    surgery: Surgery, monkeypatch: pytest.MonkeyPatch
):
    surgery.visit()
    monkeypatch.setattr(doctor_asking, "PATIENCE", 0.5)
    surgery.house.phone.fault("slow", seconds=4.0, moment="before")
    started = time.monotonic()
    failing = surgery.failing()
    assert time.monotonic() - started < 4.0 * len(CALLS)
    assert set(failing) == CALLS
    for line in failing.values():
        assert "did not answer in time" in line.sentence
        assert NETWORK in line.remedy


@pytest.mark.parametrize(
    ("kind", "parameters", "ends_as", "remedy"),
    [
        ("errcode", {"errcode": 301025}, "dead", "submit the quotes again"),
        ("http_status", {"status": 502}, "failed", "repeated by itself"),
    ],
)
def test_a_submission_that_does_not_get_through(
    surgery: Surgery, kind: str, parameters: dict[str, Any], ends_as: str, remedy: str
):
    house = surgery.house
    house.phone.fault(kind, endpoint="oa/applyevent", **parameters)
    for _number in range(2 if ends_as == "dead" else 1):  # one that is refused may be that quote's own trouble
        assert surgery.failing() == {}
        quote = house.li.new_quote()
        quote.submit(approvers=["wang.boss"])
        with surgery.inside():
            submission = SyncOperation.objects.filter(kind="submit", instance__quote=quote.id)
            wait_until(lambda: submission.filter(status=ends_as).exists(), 20, f"submission {ends_as}", interval=0.1)  # noqa: B023
    failing = surgery.failing()
    assert set(failing) == {SENT}
    assert remedy in failing[SENT].remedy
    surgery.heal()
    with surgery.inside():
        sent_long_ago(submission.filter(status="failed"))
    house.li.submitted()  # wakes the worker, which finds the other one due as well
    if ends_as == "failed":
        quote.await_status("pending", timeout=15)
    assert SENT not in surgery.failing()


@pytest.mark.parametrize("kind", ["callback_drop", "callback_hold"])
def test_callbacks_that_do_not_arrive(surgery: Surgery, kind: str):
    house = surgery.house
    house.phone.fault(kind)
    quote = house.li.submitted()
    house.phone.act(quote.sp_no, "agree")
    surgery.compare()
    assert quote.read()["approval_status"] == "approved"
    failing = surgery.failing()
    assert set(failing) == {ARRIVE}
    assert quote.number in failing[ARRIVE].sentence
    assert "审批 → 可调用接口的应用" in failing[ARRIVE].remedy
    surgery.heal()
    decided(house)
    assert surgery.failing() == {}


ABSORBED = ["callback_duplicate", "callback_reorder", "callback_retry_refused", "event_before_response", "short_pages"]
"""Kinds that WeCom itself allows itself, and that change nothing here: nobody has to do anything."""


@pytest.mark.parametrize(
    ("kind", "parameters"), [(kind, {}) for kind in ABSORBED] + [("callback_delay", {"seconds": 0.3})]
)
def test_what_the_system_absorbs_is_no_trouble(surgery: Surgery, kind: str, parameters: dict[str, Any]):
    surgery.house.phone.fault(kind, **parameters)
    decided(surgery.house)
    assert surgery.failing() == {}


def test_no_fault_is_forgotten():
    tried = {"errcode", "wrong_secret", "callback_drop", "callback_hold", "callback_delay", *ABSORBED}
    assert tried | {kind for kind, *_rest in BROKEN} == set(FAULT_KINDS)
