"""The reasons why two sides differ, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

from approvals import engine
from approvals.actors import Actor
from approvals.admin.verbs import can_sync
from approvals.models import ApprovalInstance, ApprovalTimeline, SyncOperation
from approvals.operations import SENT_AT
from approvals.tests.snapshots import says, step
from approvals.truth import Truth, truth_of
from config.durable import Status

SP_NO = "202601050001"
AsActor = Callable[..., Actor]
Submitted = Callable[..., ApprovalInstance]


def truth(instance: ApprovalInstance, **later: Any) -> Truth:
    instance.refresh_from_db()
    return truth_of(
        instance,
        steps=list(instance.steps.all()),
        operations=list(instance.operations.order_by("id")),
        timeline=list(ApprovalTimeline.objects.filter(instance=instance).order_by("id")),
        now=timezone.now() + timedelta(**later),
    )


def reasons(found: Truth) -> list[str]:
    return [reason.code for reason in found.reasons]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def operation(instance: ApprovalInstance, **changes: Any) -> None:
    SyncOperation.objects.filter(instance=instance, kind="submit").update(**changes)


def test_both_pending_agree_and_say_what_proved_it(submitted: Submitted) -> None:
    found = truth(submitted(approvers=["wang.boss"], sp_no=SP_NO))
    assert (found.agree, found.tone, reasons(found)) == (True, "success", [])
    assert found.there == "Pending approval"
    assert "by WeCom's answer to the submission" in found.proof


def test_a_decision_in_this_system_has_no_other_side(submitted: Submitted) -> None:
    found = truth(submitted(flow="internal", approvers=["wang.boss"]))
    assert (found.agree, found.there, found.proof) == (True, "", "")


def test_a_submission_just_queued_is_on_its_way(submitted: Submitted) -> None:
    found = truth(submitted())
    assert [(reason.code, reason.tone) for reason in found.reasons] == [("submitting", "info")]
    assert not found.agree


def test_a_submission_nobody_picks_up_points_at_the_worker(submitted: Submitted) -> None:
    found = truth(submitted(), minutes=2)
    assert found.reasons[0].tone == "warning"
    assert "worker" in found.reasons[0].remedy


def test_a_submission_under_way_names_the_attempt(submitted: Submitted) -> None:
    instance = submitted()
    operation(instance, status=Status.RUNNING, attempts=2)
    assert "attempt 2" in truth(instance).reasons[0].sentence


def test_a_failed_attempt_shows_wecoms_error_with_its_remedy(submitted: Submitted) -> None:
    instance = submitted()
    operation(instance, status=Status.FAILED, attempts=3, error_code=45009, last_error="raw text")
    (reason,) = truth(instance).reasons
    assert "Attempt 3" in reason.sentence
    assert "limit of calls" in reason.sentence
    assert reason.remedy
    assert reason.detail == "raw text"


def test_a_dead_operation_is_a_matter_for_a_person(submitted: Submitted) -> None:
    instance = submitted()
    operation(instance, status=Status.DEAD, attempts=8, last_error="boom")
    (reason,) = truth(instance).reasons
    assert (reason.tone, "given up" in reason.sentence) == ("danger", True)
    assert "Retry" in reason.remedy


def test_a_submission_without_any_operation_is_said_to_be_stuck(submitted: Submitted) -> None:
    instance = submitted()
    SyncOperation.objects.all().delete()
    assert truth(instance).reasons[0].tone == "danger"


def test_an_engine_approval_waits_to_be_started_in_wecom(submitted: Submitted) -> None:
    instance = submitted(flow="wecom_engine")
    (reason,) = truth(instance).reasons
    assert "The applicant has to start it there" in reason.sentence
    assert "another flow" in reason.remedy


@pytest.mark.parametrize(
    ("code", "word"), [("301055", "visible scope"), ("mapping", "No control"), ("mapping_wrong", "Correct the mapping")]
)
def test_a_refused_submission_says_why(submitted: Submitted, code: str, word: str) -> None:
    instance = submitted()
    engine.submission_failed(instance=instance, code=code, message="No control carries the number.")
    (reason,) = truth(instance).reasons
    assert (reason.code, reason.tone) == ("failed", "danger")
    assert word in reason.sentence + reason.remedy
    assert reason.remedy


def test_withdrawn_before_wecom_had_it_is_no_agreement(submitted: Submitted, li: User, as_actor: AsActor) -> None:
    instance = submitted()
    assert can_sync(instance)
    instance = engine.withdraw(instance=instance, actor=as_actor(li))
    found = truth(instance)
    assert (reasons(found), found.sign, found.tone) == (["never_reached"], "–", "info")
    assert found.reasons[0].sentence == "It never reached WeCom; nothing is open there."
    assert "agree" not in found.verdict
    assert not can_sync(instance)


@pytest.mark.parametrize(
    ("status", "code", "tone"),
    [
        (Status.FAILED, "arrival_unknown", "info"),
        (Status.DEAD, "arrival_unknown", "warning"),
        (Status.SUCCEEDED, "never_reached", "info"),  # it was looked for, and not found
    ],
)
def test_withdrawn_after_it_was_sent_may_have_arrived(
    submitted: Submitted, li: User, as_actor: AsActor, status: str, code: str, tone: str
) -> None:
    instance = submitted()
    operation(instance, status=status, payload={SENT_AT: "2026-01-05T08:00:00+00:00"})
    engine.withdraw(instance=instance, actor=as_actor(li))
    found = truth(instance)
    assert (reasons(found), found.sign, found.tone) == ([code], "–", tone)


def test_what_is_compared_has_a_sign(submitted: Submitted, wang: User, as_actor: AsActor) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    assert truth(instance).sign == "="
    engine.approve(instance=instance, actor=as_actor(wang))
    assert truth(instance).sign == "≠"
    assert can_sync(instance)


def test_approved_here_names_who_must_agree_in_wecom(
    submitted: Submitted, wang: User, zhao: User, as_actor: AsActor
) -> None:
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no=SP_NO)
    for user in (wang, zhao):
        engine.approve(instance=instance, actor=as_actor(user))
    (reason,) = truth(instance).reasons
    assert reason.code == "remote_pending"
    assert "Wang, Zhao still has to press “同意”" in reason.sentence


def test_one_of_two_decided_here_names_only_that_one(submitted: Submitted, wang: User, as_actor: AsActor) -> None:
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no=SP_NO)
    engine.approve(instance=instance, actor=as_actor(wang))
    (reason,) = truth(instance).reasons
    assert reason.sentence.startswith("Wang agreed here")


def test_rejected_here_asks_for_the_reject_button(submitted: Submitted, wang: User, as_actor: AsActor) -> None:
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no=SP_NO)
    engine.reject(instance=instance, actor=as_actor(wang), reason="too expensive")
    sentence = truth(instance).reasons[0].sentence
    assert "驳回" in sentence
    assert "Zhao" not in sentence  # one rejection is enough


def test_withdrawn_here_asks_the_applicant(submitted: Submitted, li: User, as_actor: AsActor) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    engine.withdraw(instance=instance, actor=as_actor(li))
    sentence = truth(instance).reasons[0].sentence
    assert "撤销" in sentence
    assert "WeCom Li still" in sentence  # a person, not a userid


def test_a_conflict_tells_both_facts_and_which_stands(submitted: Submitted, wang: User, as_actor: AsActor) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    engine.approve(instance=instance, actor=as_actor(wang))
    engine.apply_remote(says("rejected", steps=[step("wang.boss", "rejected")], change_code=3), source="callback")
    found = truth(instance)
    (reason,) = found.reasons
    assert (reason.code, found.tone) == ("conflict", "danger")
    assert "Here: Approved by wang" in reason.sentence
    assert "In WeCom: Rejected by Wang" in reason.sentence
    assert "Our decision stands" in reason.sentence


def test_a_settled_conflict_is_explained_and_no_longer_alarming(
    submitted: Submitted, wang: User, chen: User, as_actor: AsActor
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    engine.approve(instance=instance, actor=as_actor(wang))
    engine.apply_remote(says("rejected", change_code=3), source="callback")
    engine.close_conflict(instance=instance, actor=as_actor(chen), keep="ours", reason="agreed by phone")
    found = truth(instance)
    assert (reasons(found), found.tone, found.agree) == (["settled"], "info", True)
    assert "agreed by phone" in found.reasons[0].sentence


def test_a_difference_that_nothing_explains_is_not_hidden(submitted: Submitted) -> None:
    instance = submitted(sp_no=SP_NO)
    ApprovalInstance.objects.filter(pk=instance.pk).update(remote_status="approved")
    assert reasons(truth(instance)) == ["unexplained"]


def test_an_unknown_number_is_shown_as_it_is(submitted: Submitted) -> None:
    instance = submitted(sp_no=SP_NO)
    engine.apply_remote(says(None, code=99), source="callback")
    found = truth(instance)
    assert "unknown_status" in reasons(found)
    assert "99" in found.there


def test_what_wecom_never_confirmed_is_said(submitted: Submitted) -> None:
    instance = submitted(sp_no=SP_NO)
    ApprovalInstance.objects.filter(pk=instance.pk).update(last_synced_at=None)
    found = truth(instance)
    assert reasons(found) == ["never_proved"]
    assert found.proof == "Never proved by WeCom."


def test_an_old_proof_points_at_the_comparison_but_is_no_difference(submitted: Submitted) -> None:
    found = truth(submitted(sp_no=SP_NO), hours=2)
    assert (reasons(found), found.agree) == (["old_proof"], True)


def test_a_proof_names_its_source(submitted: Submitted) -> None:
    instance = submitted(sp_no=SP_NO)
    engine.apply_remote(says("approved", change_code=2), source="callback")
    assert "by a callback" in truth(instance).proof
    ApprovalInstance.objects.filter(pk=instance.pk).update(last_synced_at=timezone.now() + timedelta(minutes=9))
    assert "found nothing new" in truth(instance).proof


def test_a_message_that_could_not_be_delivered_is_mentioned(
    submitted: Submitted, wang: User, as_actor: AsActor
) -> None:
    instance = submitted(approvers=["wang.boss", "zhao.vp"], sp_no=SP_NO)
    engine.approve(instance=instance, actor=as_actor(wang))
    SyncOperation.objects.filter(kind="tell").update(status=Status.DEAD, error_code=60011, last_error="raw")
    told = next(reason for reason in truth(instance).reasons if reason.code == "tell")
    assert "Wang" in told.sentence and "wang.boss" not in told.sentence


def test_a_changed_seal_is_noticed(submitted: Submitted) -> None:
    instance = submitted(sp_no=SP_NO)
    assert truth(instance).seal_intact
    content = {**instance.snapshot, "total": "1.00"}
    ApprovalInstance.objects.filter(pk=instance.pk).update(snapshot=content)
    assert not truth(instance).seal_intact
