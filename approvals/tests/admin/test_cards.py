"""The admin of cards: read only, of one's own approvals, and never the codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from approvals import engine
from approvals.models import ApprovalCard, ApprovalInstance, CardCode, Outcome, SyncOperation
from approvals.record import write_entry
from config.durable import Status

pytestmark = pytest.mark.django_db
LIST = reverse("admin:approvals_approvalcard_changelist")
CODE = "canary-response-code-5b1f"


@pytest.fixture
def card(submitted: Callable[..., ApprovalInstance], wang: User) -> ApprovalCard:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    row = ApprovalCard.objects.create(
        instance=instance, node=0, userids=["wang.boss"], task_id="task-1", state="live", not_reached=["zhao.vp"]
    )
    CardCode.objects.create(card=row, code=CODE, until=timezone.now() + timedelta(hours=72))
    return row


def page_of(card: ApprovalCard) -> str:
    return reverse("admin:approvals_approvalcard_change", args=[card.pk])


def test_lists_and_pages_show_states_and_people_but_no_code(card: ApprovalCard, ada: User, log_in: Any) -> None:
    client = log_in(ada)
    for page in (client.page(LIST), client.page(f"{LIST}?state__exact=live&q=wang"), client.page(page_of(card))):
        assert card.instance.third_no in page
        assert "wang.boss" in page
        assert "Buttons work" in page
        assert CODE not in page
    assert card.instance.third_no not in client.page(f"{LIST}?state__exact=closed")


def test_nobody_writes_cards(card: ApprovalCard, ada: User, log_in: Any) -> None:
    client = log_in(ada)
    assert client.post(page_of(card), {"state": "closed"}).status_code == 403
    assert client.get(reverse("admin:approvals_approvalcard_add")).status_code == 403
    assert client.post(reverse("admin:approvals_approvalcard_delete", args=[card.pk])).status_code == 403


def test_people_see_the_cards_of_their_own_approvals(
    card: ApprovalCard, person: Callable[..., User], log_in: Any
) -> None:
    stranger = log_in(person("sun", "sun.director", "view_approvalcard"))
    assert card.instance.third_no not in stranger.page(LIST)
    approver = log_in(person("hua", "", "view_approvalcard", "view_all_quotes"))
    assert card.instance.third_no in approver.page(LIST)


def test_the_approvals_page_shows_its_cards_to_who_may_see_them(
    card: ApprovalCard, ada: User, wang: User, log_in: Any
) -> None:
    address = reverse("admin:approvals_approvalinstance_change", args=[card.instance_id])
    page = log_in(ada).page(address)
    assert 'data-card="live"' in page
    assert CODE not in page
    assert "data-card" not in log_in(wang).page(address)  # the test's Wang lacks the right


def test_a_press_without_effect_is_explained_in_the_timeline(
    card: ApprovalCard, ada: User, as_actor: Any, log_in: Any
) -> None:
    write_entry(
        card.instance,
        actor=as_actor(ada, "wecom"),
        action="press",
        outcome=Outcome.REFUSED,
        from_status="pending",
        details={"refused": "twice"},
    )
    page = log_in(ada).page(reverse("admin:approvals_approvalinstance_change", args=[card.instance_id]))
    assert "Button pressed" in page
    assert "They had agreed already." in page
    assert "Refused, without effect" in page


def test_cards_that_could_not_be_brought_up_to_date_are_a_reason_until_something_did(
    card: ApprovalCard, ada: User, wang: User, as_actor: Any, log_in: Any
) -> None:
    address = reverse("admin:approvals_approvalinstance_change", args=[card.instance_id])
    SyncOperation.objects.filter(kind="cards").update(status=Status.DEAD, error_code=43012, last_error="raw")
    page = log_in(ada).page(address)
    assert 'data-reason="cards"' in page
    assert "设置API接收" in page
    engine.approve(instance=card.instance, actor=as_actor(wang))
    SyncOperation.objects.filter(kind="cards", status=Status.PENDING).update(status=Status.SUCCEEDED)
    assert 'data-reason="cards"' not in log_in(ada).page(address)
