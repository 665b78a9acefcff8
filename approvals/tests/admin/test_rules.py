"""Rules and templates: who approves, and which control carries what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from approvals.admin.fields import member_choices
from approvals.admin.mapping_form import PREFIX
from approvals.chain import everybody, read
from approvals.models import ApprovalRule, ApprovalTemplate
from approvals.tests.admin.conftest import Browser
from approvals.tests.chains import one_step
from wecom.models import Member, WeComConfig

Login = Callable[..., Browser]
ADD_RULE = "/admin/approvals/approvalrule/add/"
RULE = {"name": "Large", "priority": "10", "active": "on", "currency": "", "min_amount": "0", "max_amount": ""}
RULE |= {"flow": "wecom_oa", "template": "", **{f"relation_{n}": "all" for n in range(1, 6)}}


@pytest.fixture
def keeper(person: Callable[..., User]) -> User:
    rights = [f"{verb}_{model}" for model in ("approvalrule", "approvaltemplate") for verb in ("add", "change", "view")]
    return person("ke", "", *rights)


def url_of(template: ApprovalTemplate, page: str = "change") -> str:
    return reverse(f"admin:approvals_approvaltemplate_{page}", args=[template.pk])


def test_approvers_are_chosen_or_typed_and_keep_their_order(keeper: User, wang: User, log_in: Login) -> None:
    client = log_in(keeper)
    client.told(ADD_RULE, RULE | {"step_1": ["typed.one", "wang.boss"], "relation_1": "in_turn"})
    rule = ApprovalRule.objects.get()
    assert everybody(read(rule.chain)) == ["typed.one", "wang.boss"]
    page = client.page(reverse("admin:approvals_approvalrule_change", args=[rule.pk]))
    assert page.index('value="typed.one" selected') < page.index('value="wang.boss" selected')
    assert "Wang (wang.boss)" in page


def test_who_left_is_offered_to_nobody(wecom_app: WeComConfig, wang: User) -> None:
    Member.objects.create(config=wecom_app, userid="old", name="Old", deleted_at=timezone.now())
    assert member_choices() == [("wang.boss", "Wang (wang.boss)")]


def test_the_list_names_the_approvers_it_knows(keeper: User, wang: User, log_in: Login) -> None:
    ApprovalRule.objects.create(name="big", flow="internal", chain=one_step("Wang.Boss", "typed.one"))
    assert "Wang, typed.one (All must agree)" in log_in(keeper).page(reverse("admin:approvals_approvalrule_changelist"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"min_amount": "100", "max_amount": "100"}, "max_amount"),
        ({"min_amount": "100", "max_amount": "50"}, "max_amount"),
        ({"min_amount": "-1"}, "min_amount"),
        ({"currency": "yuan"}, "currency"),
        ({"step_1": ["no such id!"]}, "step_1"),
        ({"step_2": [f"u{n}" for n in range(40)]}, "step_2"),
        ({"flow": "internal"}, "step_1"),
    ],
)
def test_a_rule_that_could_not_work_is_refused_on_its_field(
    keeper: User, log_in: Login, changes: dict[str, Any], field: str
) -> None:
    response = log_in(keeper).post(ADD_RULE, RULE | changes)
    assert field in response.context["adminform"].form.errors
    assert not ApprovalRule.objects.exists()


def test_suggest_reads_the_template_and_says_that_it_fits(
    standin: Any, template: ApprovalTemplate, keeper: User, log_in: Login
) -> None:
    client = log_in(keeper)
    assert "not been read from WeCom" in client.page(url_of(template))
    (message,) = client.told(url_of(template, "suggest_mapping_page"))
    template.refresh_from_db()
    assert f"{len(template.mapping)} fields are mapped." in message
    assert {"third_no", "total", "customer_name", "items"} <= set(template.mapping)
    assert template.checked_at is not None
    assert "The mapping fits the template." in client.page(url_of(template))


def test_suggest_keeps_what_was_chosen_by_hand(
    standin: Any, template: ApprovalTemplate, keeper: User, log_in: Login
) -> None:
    client = log_in(keeper)
    client.told(url_of(template, "suggest_mapping_page"))
    template.refresh_from_db()
    suggested = template.mapping
    moved = {"title": suggested["customer_name"], "gone": "Text-that-never-was"}
    ApprovalTemplate.objects.update(mapping=moved)
    client.told(url_of(template, "suggest_mapping_page"))
    template.refresh_from_db()
    assert template.mapping["title"] == suggested["customer_name"]
    assert "customer_name" not in template.mapping
    assert "gone" not in template.mapping
    assert template.mapping["total"] == suggested["total"]


def test_the_mapping_is_edited_by_selects_that_offer_fitting_controls(
    standin: Any, template: ApprovalTemplate, keeper: User, log_in: Login
) -> None:
    client = log_in(keeper)
    client.told(url_of(template, "suggest_mapping_page"))
    template.refresh_from_db()
    form = client.get(url_of(template)).context["adminform"].form
    money = form.fields[f"{PREFIX}total"].choices
    assert ("", "not sent") in money
    assert all("Money" in label or "Number" in label for value, label in money if value)
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data |= {"config": template.config_id, f"{PREFIX}total": ""}
    client.told(url_of(template), data)
    before = template.mapping
    template.refresh_from_db()
    assert template.mapping == {name: value for name, value in before.items() if name != "total"}
    assert "requires" in client.page(url_of(template))
    refused = client.post(url_of(template), data | {f"{PREFIX}total": "Text-nobody-has"})
    assert f"{PREFIX}total" in refused.context["adminform"].form.errors


def test_wecoms_refusal_is_shown_with_its_remedy(
    standin: Any, template: ApprovalTemplate, keeper: User, log_in: Login
) -> None:
    standin.fault("errcode", "oa/gettemplatedetail", errcode=301055)
    (message,) = log_in(keeper).told(url_of(template, "suggest_mapping_page"))
    assert "errcode" in message
    template.refresh_from_db()
    assert template.mapping == {}


def test_without_known_controls_the_mapping_is_json(wecom_app: WeComConfig, keeper: User, log_in: Login) -> None:
    client = log_in(keeper)
    add = "/admin/approvals/approvaltemplate/add/"
    client.post(add, {"config": wecom_app.pk, "template_id": "T1", "name": ""})
    template = ApprovalTemplate.objects.get()
    data = {"config": wecom_app.pk, "template_id": "T1", "name": "Quotes", "mapping": '{"third_no": "Text-1"}'}
    client.told(url_of(template), data)
    template.refresh_from_db()
    assert (template.mapping, template.name) == ({"third_no": "Text-1"}, "Quotes")


def test_a_new_template_leads_on_to_its_mapping(wecom_app: WeComConfig, keeper: User, log_in: Login) -> None:
    answer = log_in(keeper).post(
        "/admin/approvals/approvaltemplate/add/", {"config": wecom_app.pk, "template_id": "T1", "name": ""}
    )
    assert answer.headers["Location"] == url_of(ApprovalTemplate.objects.get())


def test_who_may_only_look_gets_no_form_and_no_button(
    template: ApprovalTemplate, person: Callable[..., User], log_in: Login
) -> None:
    client = log_in(person("au", "", "view_approvaltemplate"))
    assert 'name="_save"' not in client.page(url_of(template))
    assert client.post(url_of(template, "suggest_mapping_page")).status_code == 403
    assert client.post(url_of(template), {"template_id": "T2"}).status_code == 403
