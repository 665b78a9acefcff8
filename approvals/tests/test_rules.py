"""Who may be asked to approve."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from approvals import engine
from approvals.actors import Actor
from approvals.chain import everybody, read
from approvals.exceptions import InvalidInput
from approvals.models import ApprovalInstance, ApprovalRule, Quote
from approvals.tests.chains import one_step

Submitted = Callable[..., ApprovalInstance]


def test_nobody_is_the_only_approver_of_the_own_quote_here(submitted: Submitted) -> None:
    with pytest.raises(InvalidInput) as refusal:
        submitted(flow="internal", approvers=["Li.Mei"])
    assert set(refusal.value.errors) == {"approvers"}
    assert not ApprovalInstance.objects.exists()


def test_a_rule_that_names_only_the_applicant_is_refused_as_well(submitted: Submitted) -> None:
    ApprovalRule.objects.create(name="all", flow="internal", chain=one_step("li.mei"))
    with pytest.raises(InvalidInput):
        submitted(flow="internal")
    assert not ApprovalInstance.objects.exists()


def test_where_all_must_agree_the_applicant_cannot_be_one_of_them(submitted: Submitted) -> None:
    with pytest.raises(InvalidInput):
        submitted(flow="internal", approvers=["wang.boss", "li.mei"])


def test_where_one_is_enough_the_applicant_may_stand_next_to_others(submitted: Submitted) -> None:
    ApprovalRule.objects.create(name="any", flow="internal", chain=one_step("li.mei", "wang.boss", relation="any"))
    assert everybody(read(submitted(flow="internal").chain)) == ["li.mei", "wang.boss"]


def test_in_wecom_the_applicant_may_be_named(submitted: Submitted) -> None:
    assert everybody(read(submitted(approvers=["li.mei"]).chain)) == ["li.mei"]


def test_superusers_may_decide_on_their_own_quotes(quote: Quote, li: User, as_actor: Callable[..., Actor]) -> None:
    User.objects.filter(pk=li.pk).update(is_superuser=True)
    actor = as_actor(User.objects.get(pk=li.pk))
    instance = engine.submit(quote=quote, actor=actor, flow="internal", approvers=["li.mei"])
    assert engine.approve(instance=instance, actor=actor).status == "approved"
