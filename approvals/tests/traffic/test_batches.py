"""Comparing many with WeCom: what each came out as, and what happens while WeCom refuses or is away."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

from approvals import operations
from approvals.actors import actor_for
from approvals.batches import Tally, open_batch, run_due, tally
from approvals.models import ApprovalInstance, Batch, BatchItem, Channel
from approvals.tests.conftest import grant
from config.durable import Status
from wecom.tests.peers import refused_url

from .conftest import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def overseer(chen: User) -> User:
    grant(chen, "view_all_quotes")
    return User.objects.get(pk=chen.pk)


@pytest.fixture
def pending(standin: Standin, submitted) -> ApprovalInstance:
    """An approval that waits for Wang at WeCom."""
    instance = submitted(approvers=["wang.boss"])
    operations.run_due()
    instance.refresh_from_db()
    return instance


def asked(user: User, *instances: ApprovalInstance) -> Batch:
    ids = [instance.pk for instance in instances]
    return open_batch(verb="sync", ids=ids, actor=actor_for(user, Channel.INTERNAL))


def outcome(batch: Batch) -> tuple[str, str]:
    item = batch.items.get()
    with translation.override("en"):
        return item.outcome, item.why


def test_what_is_new_at_wecom_is_done_and_what_is_not_is_unchanged(standin, pending, overseer):
    first = asked(overseer, pending)
    run_due()
    assert outcome(first) == ("unchanged", "")
    standin.act(pending.sp_no, "agree", event=False)
    second = asked(overseer, pending)
    run_due()
    assert outcome(second) == ("done", "")
    pending.refresh_from_db()
    assert pending.status == "approved"
    assert pending.timeline.get(action="approve").details["source"] == "manual"


def test_a_form_that_wecom_does_not_know_is_refused_with_its_sentence(standin, submitted, overseer):
    batch = asked(overseer, submitted(sp_no="999"))
    run_due()
    what, why = outcome(batch)
    assert what == "refused"
    assert "errcode 301025" in why
    batch.refresh_from_db()
    assert batch.finished_at is not None
    with translation.override("zh-hans"):
        assert outcome_in_chinese(batch) != why


def outcome_in_chinese(batch: Batch) -> str:
    return batch.items.get().why


def test_what_never_was_at_wecom_is_refused_without_a_call(standin, submitted, overseer):
    batch = asked(overseer, submitted(flow="internal", approvers=["wang.boss"]))
    run_due()
    assert outcome(batch) == ("refused", "WeCom holds no approval of this quote.")
    assert standin.calls("oa/getapprovaldetail") == 0


def test_a_wecom_that_is_away_is_asked_again_later(standin, pending, overseer, settings):
    settings.WECOM_API_BASE_URL = refused_url()
    batch = asked(overseer, pending)
    run_due()
    item = BatchItem.objects.get()
    assert (item.status, tally(batch)) == (Status.FAILED, Tally(0, 0, 0, 0, open=1, waiting=1))
    assert item.why
    settings.WECOM_API_BASE_URL = standin.url
    BatchItem.objects.update(next_attempt_at=timezone.now())
    run_due()
    assert outcome(batch) == ("unchanged", "")


@pytest.mark.parametrize("lost", ["right", "account", "sight"])
def test_who_may_not_any_more_is_refused_without_a_call(standin, pending, overseer, lost):
    batch = asked(overseer, pending)
    calls = standin.calls("oa/getapprovaldetail")
    if lost == "account":
        User.objects.update(is_active=False)
    overseer.user_permissions.clear()
    if lost == "sight":
        grant(overseer, "sync_approval")
    run_due()
    assert outcome(batch) == ("refused", "You are not allowed to do this.")
    assert standin.calls("oa/getapprovaldetail") == calls
