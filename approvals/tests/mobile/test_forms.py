"""Agreeing, rejecting and delegating: what is done, and what is said when it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from approvals import engine
from approvals.actors import Actor
from approvals.mobile import choosing
from approvals.mobile.throttling import FormThrottle
from approvals.models import ApprovalInstance, Channel
from approvals.tests.mobile.conftest import Phone
from wecom.models import Member, WeComConfig

pytestmark = pytest.mark.django_db
Submit = Callable[..., ApprovalInstance]


def page(instance: ApprovalInstance, verb: str = "") -> str:
    return f"/m/approvals/{instance.pk}{verb}"


@pytest.fixture
def waiting(submitted: Submit, ma: Member) -> ApprovalInstance:
    return submitted(flow="internal", approvers=["ma.cfo"])


def state(instance: ApprovalInstance) -> tuple[str, str]:
    instance.refresh_from_db()
    return instance.status, instance.decided_channel


def test_agreeing(waiting: ApprovalInstance, ma: Member):
    phone = Phone.of(ma)
    phone.open(page(waiting))
    answer = phone.press("Agree", comment="价格可以")
    assert answer.redirect_chain == [(page(waiting), 302)]
    assert "You agreed." in phone.text
    assert state(waiting) == ("approved", "wecom")
    entry = waiting.timeline.get(action="approve")
    assert (entry.actor, entry.comment, entry.channel) == ("马莉", "价格可以", "wecom")


def test_rejecting_wants_a_reason(waiting: ApprovalInstance, ma: Member):
    phone = Phone.of(ma)
    assert phone.open(page(waiting, "/reject")).status_code == 200
    for empty in ("", "  \n"):
        assert phone.press("Reject", reason=empty).status_code == 400
        assert "A rejection needs a reason." in phone.text
    assert phone.press("Reject", reason="x" * 501).status_code == 400
    assert state(waiting) == ("pending", "")
    assert phone.press("Reject", reason="毛利太低").status_code == 200
    assert "You rejected the quote." in phone.text
    assert "毛利太低" in phone.text
    assert state(waiting) == ("rejected", "wecom")


def test_a_comment_that_is_too_long_is_kept_to_be_shortened(waiting: ApprovalInstance, ma: Member):
    phone = Phone.of(ma)
    phone.open(page(waiting))
    assert phone.press("Agree", comment="长" * 501).status_code == 400
    assert "长" * 501 in phone.text
    assert "at most 500" in phone.text
    assert state(waiting) == ("pending", "")


@pytest.mark.parametrize("verb", ["/approve", "/reject", "/delegate"])
def test_a_get_never_acts(waiting: ApprovalInstance, ma: Member, verb: str):
    phone = Phone.of(ma)
    answer = phone.open(page(waiting, verb), reason="x", delegate_to="zhao.vp", comment="x")
    assert answer.status_code == (302 if verb == "/approve" else 200)
    assert state(waiting) == ("pending", "")
    assert waiting.timeline.count() == 1
    assert not waiting.steps.exclude(delegated_to="").exists()


@pytest.mark.parametrize("verb", ["/approve", "/reject", "/delegate"])
def test_a_form_of_another_site_is_refused(waiting: ApprovalInstance, ma: Member, verb: str):
    phone = Phone.of(ma)
    answer = phone.client.post(page(waiting, verb), {"reason": "x", "delegate_to": "zhao.vp"})
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()
    assert f'href="{page(waiting)}"' in answer.content.decode()
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert state(waiting) == ("pending", "")


@pytest.mark.parametrize("button", ["Agree", "Reject"])
def test_what_was_decided_meanwhile_is_shown_as_it_is(waiting: ApprovalInstance, ma: Member, li: User, button: str):
    phone = Phone.of(ma)
    phone.open(page(waiting, "/reject" if button == "Reject" else ""))
    engine.withdraw(instance=waiting, actor=Actor(Channel.API, user=li, userid="li.mei"))
    answer = phone.press(button, reason="x")
    assert answer.status_code == 409
    assert "Nothing was done. The approval is now: Withdrawn." in phone.text
    assert not phone.offers("Agree")
    assert state(waiting) == ("cancelled", "api")


def test_whose_turn_was_taken_is_told_so(submitted: Submit, ma: Member, qian: Member):
    instance = submitted(
        flow="internal",
        approvers=[{"userids": ["ma.cfo", "qian.ops"], "relation": "any"}, {"userids": ["zhao.vp"], "relation": "all"}],
    )
    phone = Phone.of(ma)
    phone.open(page(instance))
    engine.approve(instance=instance, actor=Actor(Channel.WECOM, userid="qian.ops"))
    assert phone.press("Agree").status_code == 403
    assert "Nothing was done. The approval is now: Pending approval." in phone.text


def test_a_second_tap_does_not_decide_the_next_place(submitted: Submit, ma: Member):
    """Ma is asked twice in a row, and the connection is slow."""
    instance = submitted(flow="internal", approvers=[{"userids": ["ma.cfo"]}, {"userids": ["ma.cfo"]}])
    first, again = Phone.of(ma), Phone.of(ma)
    for phone in (first, again):
        phone.open(page(instance))
    assert first.press("Agree").status_code == 200
    assert again.press("Agree").status_code == 403
    assert state(instance) == ("pending", "")
    assert again.press("Agree").status_code == 200
    assert state(instance) == ("approved", "wecom")


def test_where_nothing_can_be_done_the_forms_lead_to_the_approval(waiting: ApprovalInstance, ma: Member):
    engine.approve(instance=waiting, actor=Actor(Channel.WECOM, userid="ma.cfo"))
    for verb in ("/approve", "/reject", "/delegate"):
        answer = Phone.of(ma).open(page(waiting, verb))
        assert (answer.status_code, answer.headers["Location"]) == (302, page(waiting))


def test_delegating(waiting: ApprovalInstance, ma: Member, qian: Member):
    phone = Phone.of(ma)
    phone.open(page(waiting, "/delegate"))
    assert "钱宁" not in phone.text
    phone.press("Search", q="钱")
    assert "钱宁" in phone.text
    phone.press("English", language="en")
    assert "钱宁" in phone.text
    phone.press("Delegate", delegate_to="qian.ops", comment="休假")
    assert "钱宁 was asked to decide as well." in phone.text
    assert "马莉 asked 钱宁 to decide as well." in phone.text
    assert waiting.steps.get().delegated_to == "qian.ops"
    assert Phone.of(qian).open(page(waiting)).status_code == 200


def test_the_search_finds_colleagues_who_can_decide(
    waiting: ApprovalInstance, member: Callable[..., Member], wecom_app: WeComConfig
):
    found = member("sun.fin", "孙伟", alias="Sunny", position="财务主管")
    member("sun.gone", "孙离", deleted_at="2026-01-01T00:00:00Z")
    member("sun.off", "孙停", status=2)
    other = WeComConfig.objects.create(slug="b", name="b", corp_id="wwother", agent_id=2, secret="x")
    member("sun.other", "孙外", config=other)
    second_app = WeComConfig.objects.create(slug="c", name="c", corp_id=wecom_app.corp_id, agent_id=3, secret="x")
    member("SUN.fin", "孙伟", config=second_app)
    phone = Phone.of(Member.objects.get(userid="ma.cfo"))
    for wanted in ("孙", "SUN", "sunny", "sun.fin"):
        phone.open(page(waiting, "/delegate"), q=wanted)
        assert [one.userid.lower() for one in phone.answer.context["found"].members] == [found.userid], wanted
    for nobody in ("ma.cfo", "li.mei", "nobody", "%", "_"):
        phone.open(page(waiting, "/delegate"), q=nobody)
        assert "Nobody found who could decide" in phone.text, nobody


def test_a_large_company_is_not_listed(
    waiting: ApprovalInstance, ma: Member, wecom_app: WeComConfig, django_assert_max_num_queries: Any
):
    Member.objects.bulk_create(
        Member(config=wecom_app, userid=f"wu{number}", name=f"吴{number:05}", status=1) for number in range(3000)
    )
    phone = Phone.of(ma)
    with django_assert_max_num_queries(12):
        phone.open(page(waiting, "/delegate"), q="吴")
    assert len(phone.answer.context["found"].members) == choosing.MOST_FOUND
    assert "More members match." in phone.text
    assert len(phone.answer.content) < 20_000


def test_who_cannot_be_chosen(waiting: ApprovalInstance, ma: Member, qian: Member, li: User):
    phone = Phone.of(ma)
    for userid, words in [
        ("", "Choose a member."),
        ("ghost", "Choose a member of the list."),
        ("ma.cfo", "This member is an approver already."),
        ("li.mei", "Applicants cannot decide on their own quotes."),
    ]:
        phone.open(page(waiting, "/delegate"), q="qian")
        assert phone.press("Delegate", delegate_to=userid, comment="休假").status_code == 400
        assert words in phone.text
        assert "休假" in phone.text
    assert waiting.steps.get().delegated_to == ""


def test_forms_are_counted(waiting: ApprovalInstance, ma: Member, qian: Member, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(FormThrottle, "rate", "2/min")
    phone = Phone.of(ma)
    for status in (400, 400, 429):
        phone.open(page(waiting, "/reject"))
        assert phone.press("Reject", reason="").status_code == status
    assert 0 < int(phone.answer.headers["Retry-After"]) <= 60
    assert "Nothing was done. Please wait" in phone.text
    assert phone.open(page(waiting)).status_code == 200
    engine.delegate(instance=waiting, actor=Actor(Channel.WECOM, userid="ma.cfo"), delegate_to="qian.ops")
    other = Phone.of(qian)
    other.open(page(waiting))
    assert other.press("Agree").status_code == 200


def test_an_app_without_the_right_to_names_does_not_hide_them(
    submitted: Submit, member: Callable[..., Member], wecom_app: WeComConfig
):
    """It is told userids only; another app of the company knows more."""
    second = WeComConfig.objects.create(slug="b", name="b", corp_id=wecom_app.corp_id, agent_id=2, secret="x")
    mine = member("sun.fin", "sun.fin")
    member("sun.fin", "Olga Sun", config=second)
    member("anna.x", "anna.x")
    member("anna.x", "Anna Sun", config=second)
    instance = submitted(flow="internal", approvers=["sun.fin"])
    phone = Phone.of(mine)
    phone.open(page(instance, "/delegate"), q="ANNA")
    assert [one.name for one in phone.answer.context["found"].members] == ["Anna Sun"]
    assert "Anna Sun was asked to decide as well." in phone.press("Delegate", delegate_to="anna.x").content.decode()
    phone.press("Agree")
    assert instance.timeline.get(action="approve").actor == "Olga Sun"
