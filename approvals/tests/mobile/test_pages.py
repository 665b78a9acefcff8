"""What the list and one approval say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals import engine, quotes
from approvals.actors import Actor, actor_for
from approvals.mobile import finding
from approvals.models import ApprovalInstance, ApprovalTimeline, Channel, Quote
from approvals.tests.conftest import CONTENT
from approvals.tests.mobile.conftest import Phone
from wecom.models import Member, WeComConfig

pytestmark = pytest.mark.django_db
Submit = Callable[..., ApprovalInstance]
MA = Actor(Channel.WECOM, userid="ma.cfo", name="马莉")


def page(instance: ApprovalInstance) -> str:
    return f"/m/approvals/{instance.pk}"


@pytest.fixture
def another(li: User) -> Callable[..., ApprovalInstance]:
    """A further quote, submitted to ``approvers``."""

    def submit(title: str, approvers: list[Any]) -> ApprovalInstance:
        actor = actor_for(li, Channel.INTERNAL)
        quote = quotes.create_quote(data=CONTENT | {"title": title}, actor=actor)
        return engine.submit(quote=quote, actor=actor, flow="internal", approvers=approvers)

    return submit


def test_the_list_holds_what_waits_for_me_oldest_first(another: Callable[..., Any], ma: Member, qian: Member):
    first, second = another("First", ["ma.cfo"]), another("Second", ["qian.ops", "MA.CFO"])
    another("Not mine", ["qian.ops"])
    another("Not yet", [{"userids": ["qian.ops"]}, {"userids": ["ma.cfo"]}])
    ApprovalInstance.objects.filter(pk=second.pk).update(submitted_at=first.submitted_at - timedelta(days=1))
    phone = Phone.of(ma)
    phone.open("/m/approvals")
    assert [row["content"]["title"] for row in phone.answer.context["waiting"]] == ["Second", "First"]
    assert "Waiting for you 2" in phone.text
    assert "CNY 3,626.48" in phone.text
    engine.approve(instance=first, actor=MA)
    phone.open("/m/approvals")
    assert [row["content"]["title"] for row in phone.answer.context["waiting"]] == ["Second"]
    assert [row["content"]["title"] for row in phone.answer.context["decided"]] == ["First"]


def test_an_empty_list_says_so(ma: Member):
    phone = Phone.of(ma)
    assert phone.open("/m/approvals").status_code == 200
    assert "Nothing waits for you" in phone.text
    assert "Decided lately" not in phone.text


def test_staff_without_a_member_are_told_why_nothing_waits(ada: User):
    phone = Phone.of(ada)
    phone.open("/m/approvals")
    assert "You are not linked to a WeCom member" in phone.text


def test_who_cannot_decide_has_nothing_waiting(another: Callable[..., Any], person: Callable[..., User]):
    another("First", ["clerk.x"])
    phone = Phone.of(person("clerk", "clerk.x"))
    phone.open("/m/approvals")
    assert phone.answer.context["waiting"] == []


def test_a_long_list_ends_and_says_so(another: Callable[..., Any], ma: Member, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(finding, "MOST_WAITING", 2)
    for number in range(3):
        another(f"Quote {number}", ["ma.cfo"])
    phone = Phone.of(ma)
    phone.open("/m/approvals")
    assert "Waiting for you 2+" in phone.text
    assert "More approvals wait for you." in phone.text


def test_the_list_costs_the_same_for_many(another: Callable[..., Any], ma: Member, django_assert_max_num_queries: Any):
    for number in range(5):
        engine.approve(instance=another(f"Done {number}", ["ma.cfo"]), actor=MA)
        another(f"Quote {number}", ["ma.cfo"])
    phone = Phone.of(ma)
    with django_assert_max_num_queries(9):
        phone.open("/m/approvals")
    assert len(phone.answer.context["waiting"]) == len(phone.answer.context["decided"]) == 5


def test_an_approval_tells_all_that_is_needed_to_decide(quote: Quote, li: User, ma: Member, qian: Member):
    actor = actor_for(li, Channel.INTERNAL)
    quotes.update_quote(
        quote=quote,
        data={"contact": "孙经理", "phone": "021-5555", "valid_until": "2026-12-31", "remark": "含税\n不含安装"},
        actor=actor,
    )
    instance = engine.submit(
        quote=quote,
        actor=actor,
        flow="internal",
        approvers=[{"userids": ["ma.cfo", "qian.ops"], "relation": "any"}, {"userids": ["zhao.vp"], "relation": "all"}],
        comment="客户催得急",
    )
    phone = Phone.of(ma)
    phone.open(page(instance))
    for fact in (
        instance.third_no,
        "三号车间水泵",
        "华东机电",
        "孙经理",
        "021-5555",
        "含税",
        "客户催得急",
        "Applicant li",
    ):
        assert fact in phone.text
    assert "CNY 3,626.48 First submission" in phone.text
    assert "Pump X1 DN50 3 × 1,200.50 3,601.50" in phone.text
    assert "Any one is enough 马莉 Pending 钱宁 Pending zhao.vp Turn has not come" in phone.text
    assert "li submitted the quote for approval." in phone.text
    engine.approve(instance=instance, actor=MA, comment="价格可以")
    phone.open(page(instance))
    assert "马莉 agreed." in phone.text
    assert "价格可以" in phone.text
    assert "钱宁 Not needed any more zhao.vp Pending" in phone.text
    assert not phone.offers("Agree")
    engine.withdraw(instance=instance, actor=actor)
    phone.open(page(instance))
    assert "zhao.vp Not needed any more" in phone.text
    assert "li took the submission back. Withdrawn" in phone.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit_price": Decimal("1440.60")}, "+720.30 (+19.9 %)"),
        ({"unit_price": Decimal("1000.00")}, "−601.50 (−16.6 %)"),
        ({"name": "Pump X2"}, "Total as before"),
    ],
    ids=str,
)
def test_the_difference_to_the_last_submitted_revision(
    submitted: Submit, li: User, ma: Member, change: dict[str, Any], words: str
):
    first = submitted(flow="internal", approvers=["ma.cfo"])
    engine.reject(instance=first, actor=MA, reason="Too cheap")
    actor = actor_for(li, Channel.INTERNAL)
    quote = quotes.revise(quote=Quote.objects.get(), actor=actor)
    items = [CONTENT["items"][0] | change, CONTENT["items"][1]]
    quotes.update_quote(quote=quote, data={"customer_name": "华南机电", "items": items}, actor=actor)
    second = engine.submit(quote=quote, actor=actor, flow="internal", approvers=["ma.cfo"])
    phone = Phone.of(ma)
    phone.open(page(second))
    assert words in phone.text
    assert "revision 2" in phone.text
    assert "Customer Before: 华东机电 Now: 华南机电" in phone.text
    assert "Item 1 Before: Pump X1 DN50: 3 × 1,200.50 = 3,601.50" in phone.text
    phone.open(page(first))
    assert "First submission" in phone.text


def test_an_old_approval_leads_to_the_newest_that_one_may_see(submitted: Submit, li: User, ma: Member, qian: Member):
    newest = "Open its newest approval."
    first = submitted(flow="internal", approvers=["ma.cfo", "qian.ops"])
    phone, other = Phone.of(ma), Phone.of(qian)
    phone.open(page(first))
    assert newest not in phone.text
    engine.reject(instance=first, actor=MA, reason="Too cheap")
    actor = actor_for(li, Channel.INTERNAL)
    quote = quotes.revise(quote=Quote.objects.get(), actor=actor)
    second = engine.submit(quote=quote, actor=actor, flow="internal", approvers=["ma.cfo"])
    phone.open(page(first))
    assert newest in phone.text
    assert f'href="{page(second)}"' in phone.answer.content.decode()
    phone.open(page(second))
    assert newest not in phone.text
    other.open(page(first))  # who was not asked again
    assert newest not in other.text


def test_the_timeline_leaves_out_what_had_no_effect_and_what_nobody_understands(submitted: Submit, ma: Member):
    instance = submitted(flow="internal", approvers=["ma.cfo"])
    entries = [("approve", "stale"), ("update", "unchanged"), ("event_99", "applied")]
    for number, (action, outcome) in enumerate(entries):
        ApprovalTimeline.objects.create(
            instance=instance, event_id=f"e{number}", channel="wecom", actor="Ghost", action=action, outcome=outcome
        )
    phone = Phone.of(ma)
    phone.open(page(instance))
    assert "Ghost" not in phone.text
    assert "Something happened in WeCom that is not known here." in phone.text


def test_what_remains_to_be_done_in_wecom_is_said(submitted: Submit, wang: User):
    instance = submitted(approvers=["wang.boss"], sp_no="202611230001")
    phone = Phone.of(wang)
    phone.open(page(instance))
    assert "whoever decides here still has to press the same in WeCom" in phone.text
    phone.press("Agree")
    assert "It was approved here. In WeCom Wang still has to press “同意” (agree)." in phone.text
    instance.refresh_from_db()
    assert (instance.status, instance.decided_channel, instance.remote_pending) == ("approved", "internal", True)


def test_the_language_is_the_browsers_until_somebody_chooses(ma: Member):
    phone = Phone.of(ma, language="zh-CN,zh;q=0.9")
    page = phone.open("/m/approvals")
    assert '<html lang="zh-hans">' in page.content.decode()
    assert page.headers["Content-Language"] == "zh-hans"
    phone.press("English", language="en")
    assert phone.answer.request["PATH_INFO"] == "/m/approvals"
    assert '<html lang="en">' in phone.answer.content.decode()
    assert '<html lang="zh-hans">' in Phone.of(ma, language="fr").open("/m/approvals").content.decode()


@pytest.mark.parametrize("path", ["/m/approvals", "/m/approvals/1", "/m/approvals/1/reject"])
def test_every_answer_is_kept_by_nobody_and_runs_nothing(ma: Member, path: str):
    for answer in (Phone.of(ma).open(path), Phone().open(path)):
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert b"<script" not in answer.content


def test_the_addresses_have_no_slash_at_the_end(ma: Member, wecom_app: WeComConfig):
    assert Phone.of(ma).open("/m/approvals/").status_code == 404
    assert Client().get("/m/").headers["Location"] == "/m/approvals"
