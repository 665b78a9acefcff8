"""Flow ``wecom_oa``: what is decided here has to be pressed in WeCom too, and those who have to press it are told."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from approvals import engine, operations
from approvals.models import ApprovalInstance, SyncOperation
from approvals.reconcile import reconcile

from .conftest import Standin

pytestmark = pytest.mark.django_db
BUTTONS = {"approve": "同意", "reject": "驳回", "withdraw": "撤销"}
IN_WECOM = {"approve": "agree", "reject": "reject", "withdraw": "withdraw"}


@pytest.fixture(autouse=True)
def _english(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def pending(standin: Standin, submitted: Any) -> ApprovalInstance:
    instance = submitted(approvers=["wang.boss"])
    operations.run_due()
    instance.refresh_from_db()
    return instance


def left_to_do(texts: list[str]) -> list[str]:
    return [line for text in texts for line in text.splitlines() if line.startswith("Left to do")]


@pytest.mark.parametrize("channel", ["internal", "api"])
@pytest.mark.parametrize("verb", ["approve", "reject", "withdraw"])
def test_until_somebody_presses_it_there(*, standin, pending, wang, li, as_actor, verb, channel):
    actor = as_actor(li if verb == "withdraw" else wang, channel)
    said = {"reason" if verb == "reject" else "comment": "as discussed"}
    getattr(engine, verb)(instance=pending, actor=actor, **said)
    pending.refresh_from_db()
    assert pending.remote_pending
    operations.run_due()
    for userid in ("li.mei", "wang.boss"):  # who has to press it is among them, even if they decided it here themselves
        (todo,) = left_to_do(standin.texts(userid))
        assert BUTTONS[verb] in todo
        assert pending.sp_no in todo
    standin.act(pending.sp_no, IN_WECOM[verb])
    reconcile([pending.pk])
    pending.refresh_from_db()
    assert (pending.remote_pending, pending.conflict) == (False, False)


@pytest.mark.parametrize("verb", ["delegate", "remind"])
def test_what_decides_nothing_leaves_nothing_to_press(*, standin, pending, wang, li, as_actor, verb):
    if verb == "delegate":
        engine.delegate(instance=pending, actor=as_actor(wang), delegate_to="zhao.vp")
    else:
        engine.remind(instance=pending, actor=as_actor(li))
    pending.refresh_from_db()
    assert not pending.remote_pending
    operations.run_due()
    told = standin.texts("zhao.vp" if verb == "delegate" else "wang.boss")
    assert len(told) == 1
    assert left_to_do(told) == []


def test_one_of_two_who_agreed_here_is_waited_for_there(standin, submitted, wang, zhao, as_actor):
    instance = submitted(approvers=["wang.boss", "zhao.vp"])
    operations.run_due()
    engine.approve(instance=instance, actor=as_actor(wang))
    operations.run_due()
    instance.refresh_from_db()
    assert (instance.status, instance.remote_pending) == ("pending", True)
    assert "同意" in left_to_do(standin.texts("wang.boss"))[0]
    standin.act(instance.sp_no, "agree", userid="wang.boss")
    reconcile([instance.pk])
    instance.refresh_from_db()
    assert (instance.status, instance.remote_pending) == ("pending", False)


def test_the_last_one_may_agree_in_wecom_what_the_others_agreed_here(standin, submitted, wang, as_actor):
    instance = submitted(approvers=["wang.boss", "zhao.vp"])
    operations.run_due()
    engine.approve(instance=instance, actor=as_actor(wang))
    instance.refresh_from_db()
    queued = SyncOperation.objects.count()
    standin.act(instance.sp_no, "agree", userid="zhao.vp")
    reconcile([instance.pk])
    instance.refresh_from_db()
    assert (instance.status, instance.remote_status, instance.remote_pending) == ("approved", "pending", True)
    assert SyncOperation.objects.count() == queued
    told = [(entry.channel, entry.action, entry.to_status) for entry in instance.timeline.order_by("-pk")[:2]]
    assert told == [("wecom", "update", "approved"), ("system", "approve", "approved")]


def test_who_delegated_is_told_what_the_deputy_decided_because_the_form_is_with_them(
    standin, pending, wang, zhao, as_actor
):
    engine.delegate(instance=pending, actor=as_actor(wang), delegate_to="zhao.vp")
    engine.approve(instance=pending, actor=as_actor(zhao))
    operations.run_due()
    assert "同意" in left_to_do(standin.texts("wang.boss"))[0]
