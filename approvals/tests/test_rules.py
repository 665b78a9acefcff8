"""Who may be asked to approve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from approvals import engine
from approvals.actors import Actor
from approvals.chain import everybody, read
from approvals.exceptions import InvalidInput, NotAllowed
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


def test_the_engines_approvers_are_those_of_its_own_template(submitted: Submitted) -> None:
    with pytest.raises(InvalidInput) as refusal:
        submitted(flow="wecom_engine", approvers=["wang.boss"])
    assert set(refusal.value.errors) == {"approvers"}
    ApprovalRule.objects.create(name="all", flow="wecom_oa", chain=one_step("wang.boss"))
    instance = submitted(flow="wecom_engine")
    assert (instance.chain, instance.steps.count()) == ([], 0)
    assert instance.template is not None
    assert (instance.template.template_id, instance.template.flow) == ("TplQuoteEngine", "wecom_engine")


CHAIN = [{"userids": ["zhao.vp"]}, {"userids": ["wang.boss", "Zhao.VP", "WANG.boss"], "relation": "any"}]


def test_a_chain_is_named_step_by_step(submitted: Submitted) -> None:
    instance = submitted(flow="internal", approvers=CHAIN)
    assert instance.chain == [
        {"userids": ["zhao.vp"], "relation": "all"},
        {"userids": ["wang.boss", "Zhao.VP"], "relation": "any"},  # userids ignore case: each once
    ]
    places = instance.steps.values_list("node", "position", "userid", "relation")
    assert list(places) == [(0, 0, "zhao.vp", "all"), (1, 0, "wang.boss", "any"), (1, 1, "Zhao.VP", "any")]


def test_the_next_step_begins_when_the_one_before_has_agreed(
    submitted: Submitted, wang: User, zhao: User, as_actor: Any
) -> None:
    instance = submitted(flow="internal", approvers=CHAIN)
    with pytest.raises(NotAllowed):
        engine.approve(instance=instance, actor=as_actor(wang))
    assert engine.approve(instance=instance, actor=as_actor(zhao)).status == "pending"
    assert engine.approve(instance=instance, actor=as_actor(wang)).status == "approved"


@pytest.mark.parametrize(
    "approvers",
    [
        ["wang.boss", {"userids": ["zhao.vp"]}],
        [{"userids": []}],
        [{"userids": "wang.boss"}],
        [{"userids": ["wang.boss"], "relation": "most"}],
        [{"userids": ["<script>"]}],
        [{"people": ["wang.boss"]}],
        [{"userids": ["wang.boss"]}] * 11,
    ],
)
def test_a_chain_that_means_nothing_is_refused(submitted: Submitted, approvers: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        submitted(flow="internal", approvers=approvers)
    assert set(refusal.value.errors) == {"approvers"}
