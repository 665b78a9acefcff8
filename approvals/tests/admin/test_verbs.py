"""Submit, approve, reject, withdraw, revise and the rest, by button and over a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.chain import everybody, read
from approvals.models import ApprovalInstance, ApprovalRule, ApprovalStep, ApprovalTimeline, Flow, Quote
from approvals.operations import run_due
from approvals.tests.admin.conftest import Browser
from approvals.tests.chains import one_step
from approvals.tests.conftest import CONTENT, grant
from approvals.tests.snapshots import says
from config.admin_verbs import MOST_AT_ONCE
from wecom.models import Member, WeComConfig

Login = Callable[..., Browser]
Submitted = Callable[..., ApprovalInstance]
SP_NO = "202601050001"
LIST = "/admin/approvals/quote/"
APPROVALS = "/admin/approvals/approvalinstance/"


def button(obj: Quote | ApprovalInstance, verb: str) -> str:
    return reverse(f"admin:approvals_{obj._meta.model_name}_{verb}_page", args=[obj.pk])


def offered(client: Browser, obj: Quote | ApprovalInstance) -> set[str]:
    page = client.get(reverse(f"admin:approvals_{obj._meta.model_name}_change", args=[obj.pk]))
    return {entry["path"].rstrip("/").rsplit("/", 1)[-1] for entry in page.context["actions_detail"]}


def fresh(obj: Any) -> Any:
    obj.refresh_from_db()
    return obj


# -- which buttons -------------------------------------------------------------------------------------------------


def test_the_page_offers_only_what_fits_person_and_state(
    quote: Quote, li: User, wang: User, ada: User, submitted: Submitted, log_in: Login
) -> None:
    assert offered(log_in(li), quote) == {"submit"}
    submitted(approvers=["wang.boss"], sp_no=SP_NO)
    assert offered(log_in(li), quote) == {"withdraw"}
    assert offered(log_in(wang), quote) == {"approve", "reject"}
    assert offered(log_in(ada), quote) == {"approve", "reject", "withdraw", "sync"}


def test_the_approvals_page_offers_the_same_and_more(submitted: Submitted, li: User, wang: User, log_in: Login) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    assert offered(log_in(wang), instance) == {"approve", "reject", "delegate"}
    assert offered(log_in(li), instance) == {"remind", "withdraw"}


def test_applicants_are_not_offered_to_decide_on_their_own(submitted: Submitted, li: User, log_in: Login) -> None:
    grant(li, "decide_approval")
    instance = submitted(approvers=["li.mei"], sp_no=SP_NO)
    assert "approve" not in offered(log_in(li), instance)


def test_actions_of_the_list_follow_the_rights(quote: Quote, li: User, wang: User, chen: User, log_in: Login) -> None:
    def actions(user: User) -> set[str]:
        grant(user, "view_all_quotes")
        form = log_in(user).get(LIST).context["action_form"]
        return {name for name, _label in form.fields["action"].choices if name}

    assert actions(li) == {"submit", "withdraw", "revise"}
    assert actions(wang) == {"approve", "reject"}
    assert actions(chen) == {"sync"}


# -- one object ----------------------------------------------------------------------------------------------------


def test_looking_at_the_question_does_nothing(quote: Quote, li: User, log_in: Login) -> None:
    page = log_in(li).page(button(quote, "submit"))
    assert "1,200.50" in page
    assert fresh(quote).approval_status == "not_submitted"


def test_every_flow_is_offered_and_the_engine_waits_for_its_applicant(
    quote: Quote, li: User, log_in: Login, wecom_app: WeComConfig
) -> None:
    wecom_app.engine_template_id = "TplQuoteEngine"
    wecom_app.save()
    client = log_in(li)
    page = client.page(button(quote, "submit"))
    assert all(f'value="{flow}"' in page for flow in Flow.values)
    client.post(button(quote, "submit"), {"flow": "wecom_engine"})
    assert fresh(quote).approval_status == "submitting"
    assert quote.approvals.get().flow == "wecom_engine"


def test_submit_seals_the_quote_and_is_in_the_log(quote: Quote, li: User, log_in: Login) -> None:
    data = {"flow": "internal", "approvers": ["zhao.vp", "wang.boss"], "comment": "please"}
    (message,) = log_in(li).told(button(quote, "submit"), data)
    assert quote.quote_number in message
    assert fresh(quote).approval_status == "pending"
    assert everybody(read(quote.approvals.get().chain)) == ["zhao.vp", "wang.boss"]
    assert "submitted" in LogEntry.objects.get(user=li, object_id=str(quote.pk)).change_message
    assert ApprovalTimeline.objects.get().channel == "internal"


def test_submit_says_what_the_matching_rule_will_do(quote: Quote, li: User, wang: User, log_in: Login) -> None:
    ApprovalRule.objects.create(name="Every day", chain=one_step("wang.boss"), flow="internal")
    assert "Rule “Every day”: This system, Wang." in log_in(li).page(button(quote, "submit"))
    log_in(li).told(button(quote, "submit"))
    assert everybody(read(quote.approvals.get().chain)) == ["wang.boss"]


def test_what_the_engine_asks_for_is_said_on_the_form(quote: Quote, li: User, log_in: Login) -> None:
    response = log_in(li).post(button(quote, "submit"), {"flow": "internal"})
    assert "Name the approvers" in str(response.context["form"].errors["approvers"])
    response = log_in(li).post(button(quote, "submit"), {"approvers": ["not a userid!"]})
    assert "approvers" in response.context["form"].errors
    assert fresh(quote).approval_status == "not_submitted"


def test_a_quote_without_items_is_refused_in_a_sentence(quote: Quote, li: User, log_in: Login) -> None:
    quote.items.all().delete()
    response = log_in(li).post(button(quote, "submit"))
    assert "without items" in response.content.decode()


def test_approve_decides_in_the_persons_name(submitted: Submitted, wang: User, log_in: Login) -> None:
    quote = submitted(approvers=["wang.boss"], sp_no=SP_NO).quote
    log_in(wang).told(button(quote, "approve"), {"comment": "good"})
    assert fresh(quote).approval_status == "approved"
    entry = ApprovalTimeline.objects.get(action="approve")
    assert (entry.actor, entry.comment, entry.channel) == ("wang", "good", "internal")


def test_reject_demands_a_reason(submitted: Submitted, wang: User, log_in: Login) -> None:
    quote = submitted(approvers=["wang.boss"], sp_no=SP_NO).quote
    for reason in ("", "   "):
        response = log_in(wang).post(button(quote, "reject"), {"reason": reason})
        assert response.context["form"].errors["reason"]
        assert fresh(quote).approval_status == "pending"
    log_in(wang).told(button(quote, "reject"), {"reason": "too expensive"})
    assert fresh(quote).approval_status == "rejected"


def test_withdraw_and_revise_bring_the_quote_back_to_the_desk(submitted: Submitted, li: User, log_in: Login) -> None:
    quote = submitted(approvers=["wang.boss"], sp_no=SP_NO).quote
    client = log_in(li)
    client.told(button(quote, "withdraw"), {"comment": ""})
    assert fresh(quote).approval_status == "cancelled"
    client.told(button(quote, "revise"))
    assert (fresh(quote).revision, quote.approval_status) == (2, "not_submitted")


def test_too_late_is_a_message_and_never_an_error_page(
    submitted: Submitted, wang: User, li: User, log_in: Login
) -> None:
    quote = submitted(approvers=["wang.boss"], sp_no=SP_NO).quote
    engine.withdraw(instance=quote.approvals.get(), actor=actor_for(li, "internal"))
    (message,) = log_in(wang).told(button(quote, "approve"), {"comment": ""})
    assert "no longer in a state" in message
    assert not LogEntry.objects.exists()


def test_without_the_right_the_button_is_forbidden(quote: Quote, wang: User, li: User, log_in: Login) -> None:
    grant(wang, "view_all_quotes")
    for method in ("get", "post"):
        assert getattr(log_in(wang), method)(button(quote, "submit")).status_code == 403
        assert getattr(log_in(li), method)(button(quote, "approve")).status_code == 403
    assert fresh(quote).approval_status == "not_submitted"


def test_the_right_alone_does_not_make_an_approver(submitted: Submitted, zhao: User, log_in: Login) -> None:
    quote = submitted(approvers=["wang.boss"], sp_no=SP_NO).quote
    grant(zhao, "view_all_quotes")
    (message,) = log_in(zhao).told(button(quote, "approve"), {"comment": ""})
    assert "not an approver" in message
    assert fresh(quote).approval_status == "pending"


def test_a_button_for_a_quote_that_one_does_not_see_leads_nowhere(quote: Quote, person: Any, log_in: Login) -> None:
    stranger = person("sun", "", "view_quote", "submit_quote", "change_quote")
    assert log_in(stranger).post(button(quote, "submit"), {"flow": "internal"}).status_code == 302
    assert fresh(quote).approval_status == "not_submitted"


def test_nobody_decides_on_content_they_did_not_look_at(
    submitted: Submitted, li: User, wang: User, log_in: Login
) -> None:
    quote = submitted(approvers=["wang.boss"], sp_no=SP_NO).quote
    client = log_in(wang)
    seen = client.get(button(quote, "approve")).context["seen"]
    actor = actor_for(li, "internal")
    engine.withdraw(instance=quote.approvals.get(), actor=actor)
    revised = quotes.revise(quote=quote, actor=actor)
    quotes.update_quote(quote=revised, data={"items": [{"name": "Gold", "quantity": 1, "unit_price": 9}]}, actor=actor)
    engine.submission_accepted(
        instance=engine.submit(quote=quote, actor=actor, approvers=["wang.boss"]), sp_no="202601050002"
    )
    (message,) = client.told(button(quote, "approve"), {"comment": "", "seen": seen})
    assert "changed since you opened" in message
    assert fresh(quote).approval_status == "pending"


def test_nobody_seals_content_they_did_not_look_at(quote: Quote, li: User, log_in: Login) -> None:
    """Somebody else names another customer meanwhile; revision, total and approval are what they were."""
    client = log_in(li)
    seen = client.get(button(quote, "submit")).context["seen"]
    quotes.update_quote(quote=quote, data={"customer_name": "华西机电"}, actor=actor_for(li, "internal"))
    data = {"flow": "internal", "approvers": ["wang.boss"], "seen": seen}
    (message,) = client.told(button(quote, "submit"), data)
    assert "changed since you opened" in message
    assert fresh(quote).approval_status == "not_submitted"
    data["seen"] = client.get(button(quote, "submit")).context["seen"]
    client.told(button(quote, "submit"), data)
    assert fresh(quote).approval_status == "pending"


def test_delegate_and_remind_from_the_approvals_page(submitted: Submitted, li: User, wang: User, log_in: Login) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    log_in(wang).told(button(instance, "delegate"), {"delegate_to": "zhao.vp", "comment": ""})
    assert instance.steps.get().delegated_to == "zhao.vp"
    log_in(li).told(button(instance, "remind"), {"comment": "today please"})
    assert fresh(instance).last_reminded_at is not None
    (message,) = log_in(li).told(button(instance, "remind"), {"comment": ""})
    assert "a moment ago" in message


def test_people_are_shown_by_name_also_those_who_left(
    submitted: Submitted, wecom_app: WeComConfig, li: User, wang: User, log_in: Login
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    left = Member.objects.create(config=wecom_app, userid="Zhao.VP", name="赵副总")
    log_in(wang).told(button(instance, "delegate"), {"delegate_to": "zhao.vp", "comment": ""})
    left.deleted_at = timezone.now()
    left.save()
    instance.steps.update(name="")
    page = log_in(li).page(reverse("admin:approvals_approvalinstance_change", args=[instance.pk]))
    assert "→ 赵副总" in page
    assert "Delegated to 赵副总." in page
    assert '<span class="qb-step-who">Wang</span>' in page
    ApprovalStep.objects.update(userid="nobody.knows", delegated_to="")
    page = log_in(li).page(reverse("admin:approvals_approvalinstance_change", args=[instance.pk]))
    assert '<span class="qb-step-who">nobody.knows</span>' in page


def test_a_conflict_is_closed_with_a_choice_and_a_reason(
    submitted: Submitted, wang: User, chen: User, log_in: Login
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    engine.approve(instance=instance, actor=actor_for(wang, "internal"))
    engine.apply_remote(says("rejected", change_code=3), source="callback")
    client = log_in(chen)
    assert "close-conflict" in offered(client, instance)
    assert "Decided here" in client.page(button(instance, "close_conflict"))
    assert client.post(button(instance, "close_conflict"), {"keep": "wecom"}).context["form"].errors["reason"]
    client.told(button(instance, "close_conflict"), {"keep": "wecom", "reason": "as in WeCom"})
    assert (fresh(instance).status, instance.conflict) == ("rejected", False)
    assert log_in(wang).post(button(instance, "close_conflict")).status_code == 403


# -- sync now ------------------------------------------------------------------------------------------------------


def test_sync_now_takes_over_what_wecom_says(
    standin: Any, submitted: Submitted, chen: User, log_in: Login, template: Any
) -> None:
    instance = submitted(approvers=["wang.boss"])
    run_due()
    number = fresh(instance).sp_no
    client = log_in(chen)
    assert client.told(button(instance, "sync")) == [f"{instance}: Compared with WeCom: nothing new."]
    standin.act(number, "agree", userid="wang.boss")
    (message,) = client.told(button(instance, "sync"))
    assert "in WeCom: Approved" in message
    assert fresh(instance.quote).approval_status == "approved"


def test_sync_now_shows_wecoms_refusal_with_the_remedy(
    standin: Any, submitted: Submitted, chen: User, log_in: Login
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="999")
    (message,) = log_in(chen).told(button(instance, "sync"))
    assert "errcode" in message


def test_there_is_nothing_to_sync_for_a_flow_of_our_own(submitted: Submitted, chen: User, log_in: Login) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    assert "sync" not in offered(log_in(chen), instance)
    assert log_in(chen).told(button(instance, "sync")) == ["WeCom holds no approval of this quote."]


# -- over a list ---------------------------------------------------------------------------------------------------


def selection(action: str, *objs: Any, **data: Any) -> dict[str, Any]:
    return {"action": action, "_selected_action": [obj.pk for obj in objs], **data}


def test_each_is_treated_on_its_own_merits_with_one_report(quote: Quote, li: User, log_in: Login) -> None:
    actor = actor_for(li, "internal")
    empty = quotes.create_quote(data={**CONTENT, "items": []}, actor=actor)
    other = quotes.create_quote(data=CONTENT, actor=actor)
    engine.submit(quote=other, actor=actor, flow="internal", approvers=["wang.boss"])
    client = log_in(li)
    question = client.post(LIST, selection("submit", quote, empty, other))
    assert quote.quote_number in question.content.decode()
    assert fresh(quote).approval_status == "not_submitted"
    chosen = {"confirmed": "yes", "flow": "internal", "approvers": ["wang.boss"], "comment": ""}
    done, refused = client.told(LIST, selection("submit", quote, empty, other, **chosen))
    assert "1 done" in done
    assert "2 refused" in refused
    assert f"{empty.quote_number}: A quote without items" in refused
    assert f"{other.quote_number}: This quote is already in approval" in refused
    assert fresh(quote).approval_status == "pending"
    assert LogEntry.objects.filter(user=li).count() == 1


def test_rejecting_many_asks_the_reason_once(submitted: Submitted, wang: User, log_in: Login) -> None:
    quote = submitted(approvers=["wang.boss"], sp_no=SP_NO).quote
    client = log_in(wang)
    response = client.post(LIST, selection("reject", quote, confirmed="yes", reason=""))
    assert response.context["form"].errors["reason"]
    client.told(LIST, selection("reject", quote, confirmed="yes", reason="no budget"))
    assert fresh(quote).approval_status == "rejected"
    assert ApprovalTimeline.objects.get(action="reject").comment == "no budget"


def test_an_action_without_its_right_does_nothing(quote: Quote, wang: User, log_in: Login) -> None:
    grant(wang, "view_all_quotes")
    log_in(wang).post(LIST, selection("submit", quote, confirmed="yes", flow="internal", approvers=["wang.boss"]))
    assert fresh(quote).approval_status == "not_submitted"


def test_quotes_of_others_are_not_even_selected(quote: Quote, person: Any, log_in: Login) -> None:
    stranger = person("sun", "", "view_quote", "submit_quote")
    log_in(stranger).post(LIST, selection("submit", quote, confirmed="yes", flow="internal", approvers=["wang.boss"]))
    assert fresh(quote).approval_status == "not_submitted"


def test_too_many_at_once_is_said_and_nothing_is_done(li: User, log_in: Login) -> None:
    Quote.objects.bulk_create(
        Quote(quote_number=f"Q{n}", title="t", customer_name="c", owner=li) for n in range(MOST_AT_ONCE + 1)
    )
    everything = {
        "action": "submit",
        "_selected_action": [Quote.objects.latest("pk").pk],
        "select_across": "1",
        "index": "0",
    }
    (message,) = log_in(li).told(LIST, everything)
    assert str(MOST_AT_ONCE) in message
