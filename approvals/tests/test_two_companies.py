"""Two companies with an app each: the same userid is somebody else in the other one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals import engine
from approvals.actors import Actor
from approvals.escalation import escalate
from approvals.exceptions import NotAllowed
from approvals.models import ApprovalInstance, ApprovalRule, ApprovalTemplate, Quote
from approvals.tests.chains import one_step
from approvals.tests.snapshots import after, says, step
from approvals.turns import waiting_for
from approvals.visibility import visible_to
from wecom.models import Member, WeComConfig

pytestmark = pytest.mark.django_db
AsActor = Callable[..., Actor]

THEIRS = {"wang.boss": "王五", "zhao.vp": "赵六", "qian.qi": "钱七"}


@pytest.fixture
def rule(wang: User, zhao: User) -> ApprovalRule:
    """Approvals go to the second company, where Wang and Zhao are other people."""
    app = WeComConfig.objects.create(slug="second", name="B", corp_id="wwother", agent_id=7, secret="s")
    for userid, name in THEIRS.items():
        Member.objects.create(config=app, userid=userid, name=name)
    template = ApprovalTemplate.objects.create(config=app, template_id="TplOther")
    return ApprovalRule.objects.create(name="B", template=template, chain=one_step("wang.boss", "zhao.vp"))


@pytest.fixture
def instance(rule: ApprovalRule, quote: Quote, li: User, as_actor: AsActor) -> ApprovalInstance:
    instance = engine.submit(quote=quote, actor=as_actor(li))
    return engine.submission_accepted(instance=instance, sp_no="202601050001")


def names(instance: ApprovalInstance) -> list[str]:
    return list(instance.steps.order_by("node", "position").values_list("name", flat=True))


def test_the_people_of_a_rule_are_those_of_its_app(rule: ApprovalRule, quote: Quote, ada: User, client: Client) -> None:
    default = ApprovalRule.objects.create(name="A", priority=200, flow="internal", chain=one_step("wang.boss"))
    client.force_login(ada)
    assert "王五、赵六" in client.get(f"/admin/approvals/quote/{quote.pk}/submit/").content.decode()
    page = client.get("/admin/approvals/approvalrule/")
    listed = {rule.pk: rule.names["wang.boss"] for rule in page.context["cl"].result_list}
    assert listed == {rule.pk: "王五", default.pk: "Wang"}


def test_steps_carry_the_names_of_the_approvals_company(instance: ApprovalInstance) -> None:
    assert names(instance) == ["王五", "赵六"]


def test_steps_that_wecom_adds_do_so_too(instance: ApprovalInstance) -> None:
    people = [step("wang.boss", "transferred"), step("qian.qi")]
    engine.apply_remote(says("pending", steps=people), source="callback", event_id="added")
    assert names(instance) == ["王五", "钱七"]


def test_who_acted_in_wecom_is_somebody_of_that_company(instance: ApprovalInstance) -> None:
    comes = says("cancelled", change_code=6, applicant="qian.qi", at=after(60))
    engine.apply_remote(comes, source="callback", event_id="withdrawn")
    assert instance.timeline.latest("id").actor == "钱七"


def test_the_turn_is_passed_to_somebody_of_that_company(
    instance: ApprovalInstance, ada: User, as_actor: AsActor
) -> None:
    engine.delegate(instance=instance, actor=as_actor(ada), delegate_to="qian.qi")
    assert instance.timeline.latest("id").details["delegate_name"] == "钱七"
    assert escalate(instance=instance, to="qian.qi", actor=as_actor(ada))
    assert instance.timeline.latest("id").details["delegate_name"] == "钱七"


def test_the_panel_names_people_of_that_company(
    instance: ApprovalInstance, ada: User, as_actor: AsActor, client: Client
) -> None:
    engine.delegate(instance=instance, actor=as_actor(ada), delegate_to="qian.qi")
    instance.steps.update(name="")
    client.force_login(ada)
    page = client.get(f"/admin/approvals/approvalinstance/{instance.pk}/change/")
    lines = [line for node in page.context["panel"]["nodes"] for line in node.steps]
    assert [(line.who, line.delegate) for line in lines] == [("王五", "钱七"), ("赵六", "钱七")]


def test_whoever_has_the_same_userid_in_the_other_company_has_no_part_in_it(
    instance: ApprovalInstance, wang: User, wecom_app: WeComConfig, as_actor: AsActor
) -> None:
    def seen() -> tuple[int, int, int]:
        rows, own = ApprovalInstance.objects.all(), Member.objects.get(user=wang)
        waiting = waiting_for(own, lambda _instance: as_actor(wang), rows, most=9)
        return visible_to(wang, rows).count(), visible_to(wang, Quote.objects.all()).count(), len(waiting)

    assert seen() == (0, 0, 0)
    with pytest.raises(NotAllowed) as refused:
        engine.approve(instance=instance, actor=as_actor(wang))
    assert refused.value.code == "not_an_approver"
    ApprovalInstance.objects.update(corp_id=wecom_app.corp_id)
    assert seen() == (1, 1, 1)
    engine.approve(instance=instance, actor=as_actor(wang))
    assert instance.steps.get(userid="wang.boss").status == "approved"
