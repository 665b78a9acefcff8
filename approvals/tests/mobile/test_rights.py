"""Who sees an approval on the phone, and to whom its buttons are offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from approvals import engine
from approvals.actors import Actor
from approvals.models import ApprovalInstance, Channel
from approvals.tests.conftest import grant
from approvals.tests.mobile.conftest import Phone
from wecom.models import Member, WeComConfig

pytestmark = pytest.mark.django_db
Submit = Callable[..., ApprovalInstance]


def page(instance: ApprovalInstance) -> str:
    return f"/m/approvals/{instance.pk}"


def test_a_member_without_a_user_may_decide_where_asked(submitted: Submit, ma: Member):
    phone = Phone.of(ma)
    assert phone.open(page(submitted(flow="internal", approvers=["MA.cfo"]))).status_code == 200
    assert phone.offers("Agree")
    assert phone.offers("Reject…")
    assert phone.offers("Let a colleague decide…")


def test_what_is_nobodys_business_looks_like_what_is_not_there(submitted: Submit, qian: Member):
    phone = Phone.of(qian)
    forbidden = phone.open(page(submitted(flow="internal", approvers=["zhao.vp"])))
    secret = phone.text
    unknown = phone.open("/m/approvals/99999999999999999999")
    assert (forbidden.status_code, unknown.status_code) == (404, 404)
    assert secret == phone.text
    for verb in ("reject", "delegate"):
        assert phone.open(f"{forbidden.request['PATH_INFO']}/{verb}").status_code == 404


def test_strangers_are_asked_who_they_are(submitted: Submit):
    for path in ("/m/approvals", page(submitted(flow="internal", approvers=["zhao.vp"]))):
        answer = Phone().open(path)
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/admin/login/?next={path}"


def test_a_form_of_a_stranger_leads_to_the_log_in_and_back_to_the_page(submitted: Submit, ma: Member):
    instance = submitted(flow="internal", approvers=["ma.cfo"])
    phone = Phone.of(ma)
    phone.open(page(instance))
    Member.objects.filter(pk=ma.pk).update(status=5)
    answer = phone.press("Agree", comment="fine")
    assert answer.redirect_chain[0][0] == f"/admin/login/?next={page(instance)}"
    instance.refresh_from_db()
    assert instance.status == "pending"


def test_the_same_userid_of_another_company_is_somebody_else(submitted: Submit, ma: Member):
    instance = submitted(flow="internal", approvers=["ma.cfo"])
    ApprovalInstance.objects.update(corp_id="wwother")
    phone = Phone.of(ma)
    assert phone.open(page(instance)).status_code == 404
    phone.open("/m/approvals")
    assert instance.third_no not in phone.text


def test_whoever_was_asked_before_or_will_be_asked_sees_it_without_buttons(
    submitted: Submit, ma: Member, member: Callable[..., Member]
):
    later = member("qian.ops", "钱宁")
    instance = submitted(
        flow="internal",
        approvers=[{"userids": ["ma.cfo"], "relation": "all"}, {"userids": ["qian.ops"], "relation": "all"}],
    )
    phone = Phone.of(later)
    assert phone.open(page(instance)).status_code == 200
    assert not phone.offers("Agree")
    assert "It is not your turn in this approval." in phone.text
    engine.approve(instance=instance, actor=Actor(Channel.WECOM, userid="ma.cfo", name="马莉"))
    first = Phone.of(ma)
    first.open(page(instance))
    assert "You agreed. Others still have to decide." in first.text
    assert not first.offers("Agree")
    phone.open(page(instance))
    assert phone.offers("Agree")


def test_the_delegate_sees_and_decides(submitted: Submit, ma: Member, qian: Member):
    instance = submitted(flow="internal", approvers=["ma.cfo"])
    engine.delegate(instance=instance, actor=Actor(Channel.WECOM, userid="ma.cfo"), delegate_to="qian.ops")
    phone = Phone.of(qian)
    phone.open(page(instance))
    assert phone.offers("Agree")
    assert "马莉 or 钱宁 in their place" in phone.text


def test_the_applicant_sees_it_and_cannot_decide(submitted: Submit, li: User):
    phone = Phone.of(li)
    assert phone.open(page(submitted(flow="internal", approvers=["zhao.vp"]))).status_code == 200
    assert not phone.offers("Agree")
    assert "cannot decide" not in phone.text


def test_an_applicant_who_is_asked_as_well_is_told_why_not(submitted: Submit, li: User):
    instance = submitted(flow="internal", approvers=[{"userids": ["li.mei", "zhao.vp"], "relation": "any"}])
    phone = Phone.of(li)
    phone.open(page(instance))
    assert not phone.offers("Agree")
    assert "Applicants cannot decide on their own quotes." in phone.text


def test_a_users_missing_right_is_not_got_around_on_the_phone(
    submitted: Submit, wang: User, ma: Member, wecom_app: WeComConfig
):
    """A member who is linked to a user has the user's rights, staff or not."""
    instance = submitted(flow="internal", approvers=["ma.cfo"])
    user = User.objects.create_user("ma")
    Member.objects.filter(pk=ma.pk).update(user=user)
    phone = Phone.of(ma)
    assert phone.open(page(instance)).status_code == 200
    assert not phone.offers("Agree")
    grant(user, "decide_approval")
    phone.open(page(instance))
    assert phone.offers("Agree")


def test_staff_see_here_what_they_see_in_the_admin(submitted: Submit, person: Callable[..., User], qian: Member):
    instance = submitted(flow="internal", approvers=["zhao.vp"])
    auditor = person("audit", "", "view_all_quotes")
    assert Phone.of(auditor).open(page(instance)).status_code == 404
    grant(auditor, "view_approvalinstance")
    assert Phone.of(auditor).open(page(instance)).status_code == 200


def test_who_may_decide_in_everybodys_place_is_told_so(submitted: Submit, ada: User):
    instance = submitted(flow="internal", approvers=["zhao.vp", "wang.boss"])
    phone = Phone.of(ada)
    phone.open(page(instance))
    assert "You decide in the place of all of them" in phone.text
    phone.press("Agree")
    instance.refresh_from_db()
    assert instance.status == "approved"


@pytest.mark.parametrize(
    ("change", "offered"),
    [({}, True), ({"flow": "internal"}, False), ({"status": "pending"}, False), ({"applicant_userid": "x"}, False)],
    ids=str,
)
def test_only_the_applicant_is_led_to_the_start_in_wecom(
    submitted: Submit, li: User, ada: User, change: dict[str, Any], offered: bool
):
    instance = submitted(flow="wecom_engine")
    ApprovalInstance.objects.update(**change)
    phone = Phone.of(li)
    phone.open(page(instance))
    assert phone.offers("Start it in WeCom") is offered
    phone = Phone.of(ada)
    phone.open(page(instance))
    assert not phone.offers("Start it in WeCom")


def test_what_is_left_to_start_is_found_without_the_message(
    submitted: Submit, li: User, ma: Member, as_actor: Callable[..., Actor]
):
    instance = submitted(flow="wecom_engine")
    phone = Phone.of(li)
    phone.open("/m/approvals")
    assert "Left for you to start in WeCom 1" in phone.text
    assert "Nothing waits for you" not in phone.text
    assert f'href="{page(instance)}/start"' in phone.answer.content.decode()
    other = Phone.of(ma)
    other.open("/m/approvals")
    assert "Left for you" not in other.text
    engine.withdraw(instance=instance, actor=as_actor(li))
    phone.open("/m/approvals")
    assert "Left for you" not in phone.text
    assert "Nothing waits for you" in phone.text


def test_the_engines_page_is_the_applicants_from_the_start_to_a_withdrawal(
    submitted: Submit, li: User, ada: User, as_actor: Callable[..., Actor]
):
    instance = submitted(flow="wecom_engine")
    phone, place = Phone.of(li), f"{page(instance)}/start"
    phone.open(page(instance))
    assert phone.offers("Start it in WeCom")
    assert phone.open(place).status_code == 200
    assert Phone.of(ada).open(place).headers["Location"] == page(instance)
    ApprovalInstance.objects.update(status="pending")
    phone.open(page(instance))
    assert not phone.offers("Start it in WeCom")
    assert phone.open(place).status_code == 200
    engine.withdraw(instance=instance, actor=as_actor(li))
    assert phone.open(place).headers["Location"] == page(instance)


def test_only_the_start_page_is_signed_and_only_for_the_applicant(
    submitted: Submit, li: User, ada: User, settings: Any
):
    settings.API_BASE_URL = "https://quotes.example.com"
    instance = submitted(flow="wecom_engine")
    place, ours = f"{page(instance)}/start/signatures", f"https://quotes.example.com{page(instance)}/start"
    for person, asked in (
        (li, {"kind": "config", "url": "https://quotes.example.com/admin/"}),
        (li, {"kind": "ticket", "url": ours}),
        (ada, {"kind": "config", "url": ours}),
    ):
        assert Phone.of(person).open(place, **asked).status_code == 400
