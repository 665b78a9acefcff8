"""What an entry of the timeline says besides its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from approvals import engine
from approvals.actors import Actor
from approvals.admin.words import what_wecom_said
from approvals.models import ApprovalInstance
from approvals.tests.snapshots import says

Submitted = Callable[..., ApprovalInstance]
AsActor = Callable[..., Actor]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def said(instance: ApprovalInstance) -> str:
    return what_wecom_said(instance.timeline.latest("pk"))


def test_a_delegation_says_to_whom(submitted: Submitted, wang: User, as_actor: AsActor) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    engine.delegate(instance=instance, actor=as_actor(wang), delegate_to="zhao.vp")
    assert said(instance) == "Delegated to zhao.vp."


@pytest.mark.parametrize(
    ("keep", "sentence"), [("ours", "Our decision was kept."), ("wecom", "WeCom's decision was kept.")]
)
def test_a_closed_conflict_says_which_decision_stands(
    submitted: Submitted, wang: User, chen: User, as_actor: AsActor, keep: str, sentence: str
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="S1")
    engine.approve(instance=instance, actor=as_actor(wang))
    engine.apply_remote(says("rejected", sp_no="S1", change_code=3), source="callback")
    engine.close_conflict(instance=instance, actor=as_actor(chen), keep=keep, reason="agreed by phone")
    assert said(instance) == sentence


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("301055", "WeCom refused: errcode 301055."), ("value_missing", "The submission failed: value_missing")],
)
def test_a_failed_submission_does_not_blame_wecom_for_our_own_refusal(
    submitted: Submitted, code: str, sentence: str
) -> None:
    instance = engine.submission_failed(instance=submitted(), code=code, message="raw")
    assert said(instance) == sentence
