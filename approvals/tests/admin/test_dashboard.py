"""The first page: what waits for this person, and what needs somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from approvals import engine
from approvals.actors import actor_for
from approvals.admin.dashboard import dashboard
from approvals.models import ApprovalInstance, SyncOperation
from approvals.tests.conftest import grant
from approvals.tests.snapshots import says
from config.dashboard import COUNTED, Card
from notifications.incidents import raise_incident
from wecom.models import CallbackEvent, WeComConfig

Submitted = Callable[..., ApprovalInstance]
SP_NO = "202601050001"


def first_page(user: User) -> dict[str, Any]:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(pk=user.pk)
    return dashboard(request, {})


def cards(user: User) -> dict[str, Card]:
    return {card.url.split("/admin/")[1]: card for card in first_page(user)["cards"]}


def test_what_waits_for_me_is_what_it_is_my_turn_in(submitted: Submitted, li: User, wang: User, zhao: User) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss", "zhao.vp"])
    instance.steps.update(relation="in_turn")
    assert first_page(wang)["waiting"] == [instance]
    assert first_page(zhao)["waiting"] == []
    engine.approve(instance=instance, actor=actor_for(wang, "internal"))
    assert first_page(wang)["waiting"] == []
    assert first_page(zhao)["waiting"] == [instance]
    assert first_page(li)["waiting"] == []


def test_delegates_find_it_too(submitted: Submitted, wang: User, zhao: User) -> None:
    instance = submitted(flow="internal", approvers=["wang.boss"])
    engine.delegate(instance=instance, actor=actor_for(wang, "internal"), delegate_to="ZHAO.vp")
    assert first_page(zhao)["waiting"] == [instance]


def test_sales_see_their_quotes_and_no_machinery(submitted: Submitted, li: User) -> None:
    submitted(approvers=["wang.boss"])
    page = first_page(li)
    assert [quote.customer_name for quote, _tone in page["own_quotes"]] == ["华东机电"]
    assert set(cards(li)) == {
        "approvals/approvalinstance/?conflict__exact=1",
        "approvals/approvalinstance/?remote_pending__exact=1",
    }


def test_the_cards_count_what_needs_somebody(
    submitted: Submitted, wecom_app: WeComConfig, wang: User, chen: User
) -> None:
    grant(chen, "view_syncoperation", "view_callbackevent", "view_incident")
    assert all((card.count, card.tone) == (0, "quiet") for card in cards(chen).values())
    instance = submitted(approvers=["wang.boss"], sp_no=SP_NO)
    engine.approve(instance=instance, actor=actor_for(wang, "internal"))
    engine.apply_remote(says("rejected", change_code=3), source="callback")
    SyncOperation.objects.update(status="dead")
    event = {"config": wecom_app, "event": "sys_approval_change", "payload": "<xml/>"}
    CallbackEvent.objects.create(key="a", status="failed", parked_at=timezone.now(), **event)
    CallbackEvent.objects.create(key="b", status="dead", **event)
    raise_incident("x", title="Trouble")
    counts = {url: card.count for url, card in cards(chen).items()}
    assert counts == {
        "approvals/approvalinstance/?conflict__exact=1": 1,
        "approvals/approvalinstance/?remote_pending__exact=1": 0,
        "approvals/syncoperation/?status__exact=dead": SyncOperation.objects.count(),
        "wecom/callbackevent/?whereabouts=parked": 1,
        "wecom/callbackevent/?whereabouts=dead": 1,
        "notifications/incident/?state=open": 1,
    }


def test_counting_stops_where_it_no_longer_matters() -> None:
    assert Card("x", COUNTED + 1, "", "", "").shown == f"{COUNTED}+"
    assert Card("x", 7, "", "", "").shown == "7"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("name", ["ada", "li", "wang", "chen"])
def test_the_page_renders_for_every_role(
    request: pytest.FixtureRequest, submitted: Submitted, log_in: Callable[..., Any], name: str, language: str
) -> None:
    submitted(flow="internal", approvers=["wang.boss"])
    response = log_in(request.getfixturevalue(name), language).get("/admin/")
    assert f'lang="{language}"' in response.content.decode()
    assert all(card.shown in response.content.decode() for card in response.context["cards"])
