"""The page on which a person settles a conflict."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.models import ApprovalInstance, Channel
from approvals.tests.admin.conftest import Browser
from approvals.tests.snapshots import after, says, step
from config.testing.admin_browser import logged_in

Submitted = Callable[..., ApprovalInstance]
Login = Callable[..., Browser]
SP_NO = "202601050001"


def page_of(instance: ApprovalInstance) -> str:
    return reverse("admin:approvals_approvalinstance_close_conflict_page", args=[instance.pk])


def text_of(page: str, side: str) -> str:
    """What the page says about one side, without its markup."""
    (section,) = re.findall(rf'<section[^>]*data-side="{side}">(.*?)</section>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


@pytest.fixture
def disputed(submitted: Submitted, wang: User) -> ApprovalInstance:
    """Approved here by Wang, rejected in WeCom by Zhao."""
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no=SP_NO)
    actor = actor_for(wang, Channel.API)
    engine.approve(instance=instance, actor=actor, comment="within budget")
    word = says(
        "pending",
        at=after(5),
        change_code=2,
        steps=[step("wang.boss"), step("zhao.vp", "approved", at=after(5), comment="ok")],
    )
    engine.apply_remote(word, source="callback", event_id="agreed")
    no = says(
        "rejected",
        at=after(60),
        change_code=3,
        steps=[
            step("wang.boss", "rejected", at=after(60), comment="the customer is blocked", name="王总"),
            step("zhao.vp", "approved", at=after(5), comment="ok"),
        ],
    )
    assert engine.apply_remote(no, source="callback", event_id="no") == "conflict"
    instance.refresh_from_db()
    return instance


def test_both_sides_are_shown_with_people_times_and_comments(
    disputed: ApprovalInstance, chen: User, log_in: Login
) -> None:
    page = log_in(chen).page(page_of(disputed))
    here, there = text_of(page, "ours"), text_of(page, "wecom")
    for part in ("Decided here Approved", "wang · API", "within budget"):
        assert part in here
    assert "blocked" not in here
    for part in (
        "What WeCom says Rejected",
        "王总 Rejected",
        "the customer is blocked",
        "zhao.vp Agreed",
        "Jan. 5, 2026",
    ):
        assert part in there
    assert "within budget" not in there


def test_each_choice_says_what_will_happen_and_it_does(
    disputed: ApprovalInstance, chen: User, log_in: Login, settings: Any
) -> None:
    client = log_in(chen)
    page = client.page(page_of(disputed))
    assert "The approval stays: Approved." in text_of(page, "ours")
    assert "The quote stays: Approved." in text_of(page, "ours")
    assert "no program can change it there" in text_of(page, "ours")
    assert "The approval becomes: Rejected." in text_of(page, "wecom")
    assert "The quote becomes: Rejected." in text_of(page, "wecom")
    client.told(page_of(disputed), {"keep": "wecom", "reason": "the customer is blocked indeed"})
    disputed.refresh_from_db()
    assert (disputed.status, disputed.quote.status, disputed.conflict) == ("rejected", "rejected", False)
    entry = disputed.timeline.get(action="close_conflict")
    assert (entry.actor, entry.comment, entry.details) == ("chen", "the customer is blocked indeed", {"keep": "wecom"})


def test_under_wecom_wins_keeping_ours_takes_the_decision_back(
    submitted: Submitted, wang: User, chen: User, log_in: Login, settings: Any
) -> None:
    settings.APPROVAL_CONFLICT_POLICY = "wecom_wins"
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    engine.approve(instance=instance, actor=actor_for(wang, Channel.INTERNAL))
    engine.apply_remote(says("rejected", at=after(9)), source="callback", event_id="no")
    client = log_in(chen)
    page = client.page(page_of(instance))
    assert "The approval becomes: Approved." in text_of(page, "ours")
    assert "The approval stays: Rejected." in text_of(page, "wecom")
    client.told(page_of(instance), {"keep": "ours", "reason": "spoken with Wang"})
    instance.refresh_from_db()
    assert (instance.status, instance.quote.status, instance.conflict) == ("approved", "approved", False)


@pytest.mark.parametrize(
    "missing", [{"keep": "ours", "reason": " "}, {"reason": "because"}, {"keep": "both", "reason": "x"}]
)
def test_a_choice_and_a_reason_are_required(
    disputed: ApprovalInstance, chen: User, log_in: Login, missing: dict[str, str]
) -> None:
    response = log_in(chen).post(page_of(disputed), missing)
    assert response.context["form"].errors
    assert "the customer is blocked" in response.content.decode()
    disputed.refresh_from_db()
    assert disputed.conflict


def test_wecoms_side_is_barred_with_the_reason_while_another_submission_is_live(
    submitted: Submitted, li: User, chen: User, log_in: Login
) -> None:
    first = submitted()
    engine.submission_failed(instance=first, code="301057", message="lost")
    submitted()
    engine.apply_remote(says("pending", third_no=first.third_no), source="callback", event_id="alive")
    client = log_in(chen)
    page = client.page(page_of(first))
    assert "Decided here Submission failed" in text_of(page, "ours")
    assert "Not possible now: Another submission of this quote is under way." in text_of(page, "wecom")
    assert re.search(r'<input[^>]*value="wecom"[^>]*disabled', page)
    assert not re.search(r'<input[^>]*value="ours"[^>]*disabled', page)
    response = client.post(page_of(first), {"keep": "wecom", "reason": "x"})
    assert "Another submission" in str(response.context["form"].errors["keep"])
    client.told(page_of(first), {"keep": "ours", "reason": "the second one counts"})
    first.refresh_from_db()
    assert (first.status, first.conflict) == ("failed", False)


def test_a_quote_that_has_moved_on_is_left_alone_and_the_page_says_so(
    submitted: Submitted, quote: Any, li: User, wang: User, chen: User, log_in: Login
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    engine.reject(instance=instance, actor=actor_for(wang, Channel.INTERNAL), reason="too dear")
    quotes.revise(quote=quote, actor=actor_for(li, Channel.INTERNAL))
    engine.apply_remote(says("approved", at=after(9)), source="callback", event_id="yes")
    page = log_in(chen).page(page_of(instance))
    assert "The quote is left alone" in text_of(page, "wecom")


def test_without_a_conflict_there_is_nothing_to_settle(submitted: Submitted, chen: User, log_in: Login) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    client = log_in(chen)
    asked = client.get(page_of(instance), follow=True)
    assert asked.redirect_chain == [(f"/admin/approvals/approvalinstance/{instance.pk}/change/", 302)]
    assert "This is not possible now" in asked.content.decode()
    assert client.told(page_of(instance), {"keep": "ours", "reason": "x"}) == ["This approval is not in conflict."]


def test_who_may_not_settle_does_not_get_in(disputed: ApprovalInstance, wang: User, log_in: Login) -> None:
    for method in ("get", "post"):
        assert getattr(log_in(wang), method)(page_of(disputed)).status_code == 403


def test_the_list_and_the_first_page_lead_there(disputed: ApprovalInstance, chen: User, log_in: Login) -> None:
    client = log_in(chen)
    conflicts = "/admin/approvals/approvalinstance/?conflict__exact=1"
    assert conflicts in client.page("/admin/")
    page = client.page("/admin/approvals/approvalinstance/", conflict__exact="1")
    assert f"/admin/approvals/approvalinstance/{disputed.pk}/change/" in page
    assert page_of(disputed) in client.page(f"/admin/approvals/approvalinstance/{disputed.pk}/change/")


def test_the_page_speaks_chinese(disputed: ApprovalInstance, chen: User) -> None:
    here = text_of(logged_in(chen, "zh-hans").page(page_of(disputed)), "ours")
    assert "已通过" in here
