"""Every page of the approvals' admin: open to people with just the right it needs, closed to everybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.models import ApprovalInstance, ApprovalRule, ApprovalTemplate, ApprovalTimeline, Quote, SyncOperation
from approvals.tests.admin.conftest import Browser
from approvals.tests.chains import one_step
from approvals.tests.conftest import CONTENT, grant

Login = Callable[..., Browser]
FACTS = ("approvalinstance", "approvaltimeline", "syncoperation")
WRITTEN = ("quote", "approvalrule", "approvaltemplate")


@pytest.fixture
def everything(submitted: Callable[..., ApprovalInstance], wecom_app: Any, wang: User) -> dict[str, Any]:
    """One row for each page."""
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    engine.approve(instance=instance, actor=actor_for(wang, "internal"), comment="<b>fine</b>")
    return {
        "quote": Quote.objects.get(),
        "approvalinstance": instance,
        "approvaltimeline": ApprovalTimeline.objects.first(),
        "syncoperation": SyncOperation.objects.first(),
        "approvalrule": ApprovalRule.objects.create(name="Large", min_amount=10, chain=one_step("zhao.vp")),
        "approvaltemplate": ApprovalTemplate.objects.get(),
    }


def address(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:approvals_{model}_{page}", args=args)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("model", FACTS + WRITTEN)
def test_lists_and_pages_open_with_the_right_to_view(
    everything: dict[str, Any], person: Callable[..., User], log_in: Login, model: str, language: str
) -> None:
    user = person("nora", "", f"view_{model}", "view_all_quotes", "manage_all_quotes")
    client = log_in(user, language)
    assert f'lang="{language}"' in client.page(address(model, "changelist"))
    page = client.page(address(model, "change", everything[model].pk))
    assert "<b>fine</b>" not in page
    assert client.get(address(model, "add")).status_code == 403


@pytest.mark.parametrize("model", FACTS + WRITTEN)
def test_without_the_right_the_door_stays_closed(
    everything: dict[str, Any], person: Callable[..., User], log_in: Login, model: str
) -> None:
    client = log_in(person("nora", "", "view_logentry"))
    for url in (address(model, "changelist"), address(model, "add"), address(model, "change", everything[model].pk)):
        assert client.get(url).status_code == 403
    assert model not in client.page(reverse("admin:index"))


@pytest.mark.parametrize("model", WRITTEN)
def test_forms_open_with_the_right_to_add(log_in: Login, person: Callable[..., User], model: str) -> None:
    client = log_in(person("nora", "", f"add_{model}", f"view_{model}"))
    assert 'name="_save"' in client.page(address(model, "add"))


@pytest.mark.parametrize("model", FACTS)
def test_nobody_edits_history_not_even_a_superuser(
    everything: dict[str, Any], ada: User, log_in: Login, model: str
) -> None:
    client, pk = log_in(ada), everything[model].pk
    assert 'name="_save"' not in client.page(address(model, "change", pk))
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", pk), {"status": "approved", "comment": "x"}).status_code == 403
    assert client.post(address(model, "delete", pk), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.page(address(model, "changelist"))


def test_people_see_their_own_quotes_only(
    everything: dict[str, Any], person: Callable[..., User], wang: User, log_in: Login
) -> None:
    stranger = log_in(person("sun", "sun.li", "view_quote", "view_approvalinstance", "view_approvaltimeline"))
    number = everything["quote"].quote_number
    for model in ("quote", "approvalinstance", "approvaltimeline"):
        assert number not in stranger.page(address(model, "changelist"))
        missing = stranger.get(address(model, "change", everything[model].pk))
        assert missing.status_code == 302  # "does not exist", as for a number that never was
    assert number in log_in(wang).page(address("quote", "changelist"))


def test_the_applicant_is_shown_by_name(everything: dict[str, Any], ada: User, log_in: Login) -> None:
    client = log_in(ada)
    assert "Li (li.mei)" in client.page(address("approvalinstance", "change", everything["approvalinstance"].pk))
    li = everything["approvalinstance"].applicant
    li.first_name, li.last_name = "Mei", "Li"
    li.save()
    assert "Mei Li" in client.page(address("approvalinstance", "changelist"))


def test_the_quotes_page_shows_truth_timeline_and_links(everything: dict[str, Any], ada: User, log_in: Login) -> None:
    page = log_in(ada).page(address("quote", "change", everything["quote"].pk))
    assert 'data-reason="remote_pending"' in page
    assert "202601050001" in page
    assert "Seal intact" in page
    assert 'id="timeline"' in page
    assert "&lt;b&gt;fine&lt;/b&gt;" in page
    assert address("syncoperation", "change", everything["syncoperation"].pk) in page


def test_the_list_says_in_words_what_wecom_has(
    submitted: Callable[..., ApprovalInstance], ada: User, log_in: Login
) -> None:
    submitted(approvers=["wang.boss"])
    assert "Not known yet" in log_in(ada).page(address("approvalinstance", "changelist"))
    ApprovalInstance.objects.update(remote_status="paid")
    assert "Paid" in log_in(ada).page(address("approvalinstance", "changelist"))


def test_search_finds_by_number_and_customer(everything: dict[str, Any], li: User, log_in: Login) -> None:
    client, quote = log_in(li), everything["quote"]
    for words in (quote.quote_number, quote.customer_name):
        assert quote.quote_number in client.page(address("quote", "changelist"), q=words)
    assert quote.quote_number not in client.page(address("quote", "changelist"), q="nobody")


@pytest.mark.parametrize(
    ("model", "query", "shown"),
    [
        ("quote", {"status__exact": "approved"}, True),
        ("quote", {"status__exact": "draft"}, False),
        ("quote", {"approval_status__exact": "approved"}, True),
        ("quote", {"approval_status__exact": "rejected"}, False),
        ("quote", {"currency": "CNY"}, True),
        ("quote", {"currency": "USD"}, False),
        ("quote", {"attention": "remote_pending"}, True),
        ("quote", {"attention": "conflict"}, False),
        ("quote", {"created_at_from": "2020-01-01", "created_at_to": "2020-01-02"}, False),
        ("quote", {"created_at_from": "2020-01-01"}, True),
        ("quote", {"created_at_from": "nonsense"}, True),
        ("approvalinstance", {"flow__exact": "wecom_oa"}, True),
        ("approvalinstance", {"flow__exact": "internal"}, False),
        ("approvalinstance", {"remote_pending__exact": "1"}, True),
        ("approvalinstance", {"conflict__exact": "1"}, False),
        ("syncoperation", {"status__exact": "pending"}, True),
        ("syncoperation", {"status__exact": "dead"}, False),
        ("approvaltimeline", {"outcome__exact": "applied"}, True),
        ("approvaltimeline", {"outcome__exact": "conflict"}, False),
    ],
)
def test_filters_narrow_the_list(
    everything: dict[str, Any], ada: User, log_in: Login, model: str, query: dict[str, str], shown: bool
) -> None:
    rows = log_in(ada).get(address(model, "changelist"), query).context["cl"].result_list
    assert bool(list(rows)) is shown


def test_the_owner_filter_offers_owners_of_visible_quotes_only(
    everything: dict[str, Any], ada: User, li: User, zhao: User, log_in: Login
) -> None:
    quotes.create_quote(data={**CONTENT, "title": "Mine"}, actor=actor_for(ada, "internal"))
    client = log_in(ada)
    page = client.page(address("quote", "changelist"))
    assert f'<option value="{li.pk}"' in page
    assert f'<option value="{zhao.pk}"' not in page
    rows = client.get(address("quote", "changelist"), {"owner__id__exact": zhao.pk}).context["cl"].result_list
    assert not list(rows)


def test_the_day_filter_includes_both_days(quote: Quote, li: User, log_in: Login) -> None:
    day = timezone.localtime(quote.created_at).date().isoformat()
    query = {"created_at_from": day, "created_at_to": day}
    assert list(log_in(li).get(address("quote", "changelist"), query).context["cl"].result_list) == [quote]


def test_the_changes_of_a_revision_are_shown(
    submitted: Callable[..., ApprovalInstance], li: User, log_in: Login
) -> None:
    instance = submitted(approvers=["wang.boss"], sp_no="202601050001")
    actor = actor_for(li, "internal")
    engine.withdraw(instance=instance, actor=actor)
    quote = quotes.revise(quote=instance.quote, actor=actor)
    quotes.update_quote(quote=quote, data={"remark": "cheaper now"}, actor=actor)
    grant(li, "view_approvaltimeline")
    client = log_in(li)
    assert "<ins>cheaper now</ins>" in client.page(address("quote", "change", quote.pk))
    assert "<ins>cheaper now</ins>" in client.page(reverse("admin:approvals_quote_submit_page", args=[quote.pk]))


def test_the_panel_shows_the_chain_and_whose_turn_it_is(
    submitted: Callable[..., ApprovalInstance], li: User, log_in: Login
) -> None:
    chain = [{"userids": ["wang.boss", "zhao.vp"], "relation": "any"}, {"userids": ["chen.yu"]}]
    instance = submitted(flow="internal", approvers=chain)
    page = log_in(li).page(address("approvalinstance", "change", instance.pk))
    steps = page[page.index('<ol class="qb-steps"') :]
    said = " ".join(strip_tags(steps[: steps.index("</ol>")]).split())
    assert said == "Any one is enough wang.boss Pending zhao.vp Pending → chen.yu Turn has not come"
