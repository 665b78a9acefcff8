"""Who gets a card when, and what it shows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from approvals import engine, quotes
from approvals.actors import actor_for
from approvals.models import ApprovalCard, Channel
from wecom.client import for_config
from wecom.member_rate import PER_MINUTE
from wecom.models import WeComConfig

from .conftest import cards_of, last_operation

pytestmark = pytest.mark.django_db


def test_everybody_of_a_step_gets_a_card_of_their_own(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp"), comment="please before noon")
    assert cards_of(instance) == [(0, ["wang.boss"], "live"), (0, ["zhao.vp"], "live")]
    (card,) = phones.seen("wang.boss")
    assert card["card_type"] == "button_interaction"
    assert instance.third_no in card["main_title"]["title"]
    assert card["sub_title_text"] == "please before noon"
    lines = {line["keyname"]: line["value"] for line in card["horizontal_content_list"]}
    assert lines == {
        "Customer": "华东机电",
        "Total": "CNY 3,626.48",
        "Change": "First submission",
        "Applicant": "li",
    }
    agree, reject, details = card["button_list"]
    page = f"https://quotes.example.com/m/approvals/{instance.pk}"
    assert agree == {"text": "Agree", "style": 1, "key": "agree"}
    assert (reject["url"], details["url"]) == (f"{page}/reject", page)
    assert card["card_action"] == {"type": 1, "url": page}
    assert phones.texts("wang.boss") == []


def test_where_any_one_is_enough_all_share_a_message(phones, asked, wang, zhao):
    instance = asked(("any", "wang.boss", "zhao.vp"))
    assert cards_of(instance) == [(0, ["wang.boss", "zhao.vp"], "live")]
    assert phones.calls("message/send") == 1
    assert phones.keys("wang.boss") == phones.keys("zhao.vp") == ["agree"]


def test_in_turn_a_card_comes_when_the_turn_comes(phones, asked, wang, zhao):
    instance = asked(("in_turn", "wang.boss", "zhao.vp"))
    assert phones.seen("zhao.vp") == []
    phones.press("wang.boss")
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "passed"), (0, ["zhao.vp"], "live")]
    assert phones.keys("zhao.vp") == ["agree"]


def test_the_next_step_of_a_chain_gets_its_cards_when_the_one_before_is_complete(phones, asked, wang, zhao, as_actor):
    instance = asked(("any", "wang.boss", "sun.director"), ("all", "zhao.vp"))
    assert phones.seen("zhao.vp") == []
    engine.approve(instance=instance, actor=as_actor(wang))
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss", "sun.director"], "passed"), (1, ["zhao.vp"], "live")]
    assert phones.states("sun.director") == ["Waiting for others"]


def test_a_delegate_gets_a_card_and_the_delegator_keeps_theirs(phones, asked, wang, zhao, as_actor):
    instance = asked(("all", "wang.boss"))
    engine.delegate(instance=instance, actor=as_actor(wang), delegate_to="zhao.vp", comment="look at item 2")
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "live"), (0, ["zhao.vp"], "live")]
    (card,) = phones.seen("zhao.vp")
    assert {"keyname": "In place of", "value": "Wang"} in card["horizontal_content_list"]
    assert (card["quote_area"]["title"], card["quote_area"]["quote_text"]) == ("wang", "look at item 2")
    phones.press("zhao.vp")
    phones.work()
    instance.refresh_from_db()
    assert instance.status == "approved"
    assert phones.states("wang.boss") == phones.states("zhao.vp") == ["Approved"]


def test_the_change_is_against_the_last_submitted_revision(phones, asked, quote, li, wang, as_actor):
    first = asked(("all", "wang.boss"))
    engine.reject(instance=first, actor=as_actor(wang), reason="too dear")
    phones.work()
    quotes.revise(quote=quote, actor=as_actor(li))
    items = [{"name": "Pump X1", "quantity": Decimal(3), "unit_price": Decimal("1000.00")}]
    quotes.update_quote(quote=quote, data={"items": items}, actor=as_actor(li))
    quote.refresh_from_db()
    asked(("all", "wang.boss"))
    lines = phones.seen("wang.boss")[0]["horizontal_content_list"]
    assert {"keyname": "Change", "value": "−626.48 (−17.3 %)"} in lines


def test_who_cannot_decide_on_the_own_quote_gets_no_card(phones, asked, li, wang):
    instance = asked(("any", "li.mei", "wang.boss"))
    assert cards_of(instance) == [(0, ["wang.boss"], "live")]
    assert phones.seen("li.mei") == []


def test_running_again_does_nothing(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    before = phones.calls("message/send")
    last_operation(instance).__class__.objects.update(status="pending")
    phones.work_again()
    assert last_operation(instance).status == "succeeded"
    assert (phones.calls("message/send"), phones.calls("message/update_template_card")) == (before, 0)


def test_what_ended_before_its_cards_were_sent_sends_none(phones, asked, li, wang, as_actor):
    instance = asked(("all", "wang.boss"), send=False)
    engine.withdraw(instance=instance, actor=as_actor(li))
    phones.work()
    assert phones.calls("message/send") == 0
    assert not ApprovalCard.objects.exists()


def test_members_whom_wecom_does_not_reach_are_noted(phones, asked, wang):
    instance = asked(("any", "wang.boss", "Nobody.Here"))
    (card,) = instance.cards.all()
    assert (card.state, card.not_reached) == ("live", ["nobody.here"])


def test_a_card_that_reaches_nobody_keeps_no_other_and_asks_for_a_person(phones, asked, wang):
    instance = asked(("all", "Nobody.Here", "wang.boss"))
    assert cards_of(instance) == [(0, ["Nobody.Here"], "queued"), (0, ["wang.boss"], "live")]
    row = last_operation(instance)
    assert (row.status, row.error_code) == ("dead", 81013)
    assert instance.cards.first().not_reached == ["nobody.here"]


def test_an_app_without_callback_address_is_told_with_the_remedy(phones, asked, wang):
    phones.forget_callback_address()
    instance = asked(("all", "wang.boss"))
    row = last_operation(instance)
    assert (row.status, row.error_code) == ("dead", 43012)
    assert "设置API接收" in row.last_error
    assert cards_of(instance) == [(0, ["wang.boss"], "queued")]


def test_a_member_who_has_had_too_many_messages_waits_and_keeps_no_other(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp"), send=False)
    for _number in range(PER_MINUTE):
        for_config(instance.config).member_rate.take(["wang.boss"])
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "queued"), (0, ["zhao.vp"], "live")]
    row = last_operation(instance)
    assert (row.status, row.attempts) == ("pending", 0)


def test_a_lost_answer_to_sending_leaves_one_card(phones, asked, wang):
    phones.fault("close_after", endpoint="message/send", count=1)
    instance = asked(("all", "wang.boss"))
    assert cards_of(instance) == [(0, ["wang.boss"], "queued")]
    phones.work_again()
    assert cards_of(instance) == [(0, ["wang.boss"], "live")]
    assert len(phones.cards("wang.boss")) == 1


def test_without_a_wecom_app_nothing_is_queued(quote, li, wecom_app):
    WeComConfig.objects.update(enabled=False, is_default=False)
    chain = [{"userids": ["wang.boss"], "relation": "all"}]
    instance = engine.submit(quote=quote, actor=actor_for(li, Channel.INTERNAL), flow="internal", approvers=chain)
    assert (instance.config, instance.operations.count()) == (None, 0)
