"""Pressing a button: agreed at once and told on every card, or refused and told on the card of who pressed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import localtime

from approvals import engine, quotes
from approvals.models import ApprovalCard, ApprovalInstance, CardCode
from approvals.tests.conftest import APPROVER, grant
from wecom import inbox
from wecom.models import CallbackEvent, Member, WeComConfig

from .conftest import cards_of

pytestmark = pytest.mark.django_db


def presses(instance: ApprovalInstance) -> list[tuple[str, str, str, str]]:
    rows = instance.timeline.filter(channel="wecom").order_by("pk")
    return [(row.actor, row.action, row.outcome, row.details.get("refused", "")) for row in rows]


def status(instance: ApprovalInstance) -> str:
    return ApprovalInstance.objects.values_list("status", flat=True).get(pk=instance.pk)


def note(phones, userid: str) -> str:
    """The text of the newest card on a phone."""
    return str(phones.seen(userid)[0].get("sub_title_text", ""))


def test_a_press_agrees_turns_all_cards_and_tells_the_applicant(phones, asked, wang, zhao):
    instance = asked(("any", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.work()
    instance.refresh_from_db()
    assert (instance.status, instance.decided_channel) == ("approved", "wecom")
    assert phones.states("wang.boss") == phones.states("zhao.vp") == ["Approved"]
    (card,) = phones.seen("zhao.vp")
    assert card["source"] == {"desc": "Approved", "desc_color": 3}
    assert card["main_title"]["desc"] == f"{localtime(instance.decided_at):%Y-%m-%d %H:%M} · wang · WeCom"
    assert phones.keys("zhao.vp") == []
    (text,) = phones.texts("li.mei")
    assert "wang approved a quote." in text
    assert phones.texts("wang.boss") == phones.texts("zhao.vp") == []
    assert CallbackEvent.objects.get().outcome == "applied"


def test_all_must_agree_and_who_has_agreed_sees_who_is_waited_for(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.work()
    assert status(instance) == "pending"
    (card,) = phones.seen("wang.boss")
    lines = {line["keyname"]: line["value"] for line in card["horizontal_content_list"]}
    assert (lines["Agreed"], lines["Waiting for"]) == ("wang", "Zhao")
    assert phones.keys("zhao.vp") == ["agree"]
    phones.press("zhao.vp")
    phones.work()
    assert status(instance) == "approved"
    assert phones.states("wang.boss") == phones.states("zhao.vp") == ["Approved"]
    assert cards_of(instance) == [(0, ["wang.boss"], "closed"), (0, ["zhao.vp"], "closed")]
    assert phones.calls("message/send") == 3  # two cards, and the text to the applicant
    assert phones.calls("message/recall") == 0


def test_a_decision_in_admin_turns_all_cards(phones, asked, wang, zhao, as_actor):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    engine.reject(instance=instance, actor=as_actor(wang), reason="too dear")
    phones.work()
    for userid in ("wang.boss", "zhao.vp"):
        (card,) = phones.seen(userid)
        assert (card["source"], card["sub_title_text"]) == ({"desc": "Rejected", "desc_color": 2}, "too dear")
    assert cards_of(instance) == [(0, ["wang.boss"], "closed"), (0, ["zhao.vp"], "closed")]


def test_a_withdrawal_turns_the_cards(phones, asked, li, wang, as_actor):
    instance = asked(("all", "wang.boss"))
    engine.withdraw(instance=instance, actor=as_actor(li))
    phones.work()
    assert phones.states("wang.boss") == ["Withdrawn"]


def test_who_agreed_in_admin_sees_it_on_the_card_and_the_end_as_well(phones, asked, wang, zhao, as_actor):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    engine.approve(instance=instance, actor=as_actor(wang))
    phones.work()
    assert phones.states("wang.boss") == ["Waiting for others"]
    engine.approve(instance=instance, actor=as_actor(zhao))
    phones.work()
    # the only code is spent: what cannot be changed is taken away, and the result comes as a message of its own
    assert phones.states("wang.boss") == ["Approved"]
    assert [card["recalled"] for card in phones.cards("wang.boss")] == [False, True]
    assert cards_of(instance) == [
        (0, ["wang.boss"], "recalled"),
        (0, ["zhao.vp"], "closed"),
        (0, ["wang.boss"], "closed"),
    ]


def test_a_member_without_a_user_of_this_system_may_press(phones, asked, wang):
    instance = asked(("all", "sun.director"))
    phones.press("sun.director")
    phones.work()
    assert status(instance) == "approved"
    assert presses(instance) == [("sun.director", "approve", "applied", "")]


# --- presses without effect -----------------------------------------------------------------------------------------


def test_pressing_twice_agrees_once(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.press("wang.boss")
    phones.work()
    assert status(instance) == "pending"
    assert presses(instance) == [("wang", "approve", "applied", ""), ("wang", "press", "refused", "twice")]
    assert note(phones, "wang.boss") == "You have agreed already; once is enough."
    assert phones.states("wang.boss") == ["Waiting for others"]
    assert phones.keys("zhao.vp") == ["agree"]


def test_a_second_press_delivered_late_does_not_agree_in_a_later_step(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss"), ("any", "wang.boss", "zhao.vp"))
    first = instance.cards.get()
    phones.press("wang.boss", first)
    phones.work()
    phones.press("wang.boss", first, force=True)
    phones.work()
    assert status(instance) == "pending"
    assert presses(instance)[-1][2:] == ("refused", "twice")
    phones.press("wang.boss", instance.cards.get(node=1))
    phones.work()
    assert status(instance) == "approved"


def test_who_may_decide_for_everybody_decides_by_a_press_for_themselves_only(phones, asked, wang, zhao):
    grant(wang, "decide_any_approval")
    instance = asked(("all", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.press("wang.boss")
    phones.work()
    assert status(instance) == "pending"


def test_the_loser_of_two_presses_is_told(phones, asked, wang, zhao):
    instance = asked(("any", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.press("zhao.vp")
    phones.work()
    assert presses(instance) == [("wang", "approve", "applied", ""), ("zhao", "press", "refused", "ended")]
    assert note(phones, "zhao.vp") == "It was decided before you pressed; your press had no effect."
    assert note(phones, "wang.boss") == ""
    assert phones.states("zhao.vp") == phones.states("wang.boss") == ["Approved"]
    assert len(phones.texts("li.mei")) == 1


def test_somebody_elses_card_cannot_be_pressed(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    phones.press("zhao.vp", instance.cards.get(userids=["wang.boss"]), force=True)
    phones.work()
    assert presses(instance) == [("zhao", "press", "refused", "not_your_card")]
    assert phones.keys("wang.boss") == phones.keys("zhao.vp") == ["agree"]
    assert all(row.status == "succeeded" for row in instance.operations.all())


def test_who_lost_the_right_to_decide_is_told_so_and_may_press_again_later(phones, asked, wang):
    instance = asked(("all", "wang.boss"))
    wang.user_permissions.clear()
    phones.press("wang.boss")
    phones.work()
    assert presses(instance) == [("wang", "press", "refused", "not_allowed")]
    assert note(phones, "wang.boss").startswith("You lack the right")
    grant(User.objects.get(pk=wang.pk), *APPROVER)
    phones.press("wang.boss")
    phones.work()
    assert status(instance) == "approved"


def test_the_user_linked_in_another_app_of_the_company_is_who_pressed(phones, asked, li, wang, wecom_app):
    other = WeComConfig.objects.create(
        slug="other",
        corp_id=wecom_app.corp_id,
        agent_id=1000043,
        secret="other-secret",
        callback_token="OtherDeskTok2026",
        encoding_aes_key="x7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
    )
    instance = asked(("all", "sun.director"))
    Member.objects.filter(user=li).delete()
    Member.objects.create(config=other, userid="sun.director", name="Li", user=li)
    Member.objects.create(config=wecom_app, userid="sun.director", name="Sun")
    phones.press("sun.director")
    phones.work()
    assert status(instance) == "pending"
    assert presses(instance) == [("li", "press", "refused", "own_quote")]


def test_a_press_about_an_earlier_revision_has_no_effect(phones, asked, quote, li, wang, as_actor):
    first = asked(("all", "wang.boss"))
    old = first.cards.get()
    engine.withdraw(instance=first, actor=as_actor(li))
    quotes.revise(quote=quote, actor=as_actor(li))
    quote.refresh_from_db()
    second = asked(("all", "wang.boss"))
    phones.press("wang.boss", old, force=True)
    phones.work()
    assert (status(first), status(second)) == ("cancelled", "pending")
    assert presses(first) == [("wang", "press", "refused", "old_revision")]
    told = next(card["shown"] for card in phones.cards("wang.boss") if card["task_id"] == old.task_id)
    assert "earlier revision" in told["sub_title_text"]


def test_a_press_after_the_end_is_told_on_the_card(phones, asked, wang, li, as_actor):
    instance = asked(("all", "wang.boss"))
    engine.withdraw(instance=instance, actor=as_actor(li))
    phones.work()
    phones.press("wang.boss", force=True)
    phones.work()
    assert presses(instance) == [("wang", "press", "refused", "ended")]
    assert "no effect" in note(phones, "wang.boss")
    assert phones.states("wang.boss") == ["Withdrawn"]


def test_a_second_tap_does_not_say_that_somebody_else_was_faster(phones, asked, wang, zhao):
    """Whose first tap ended the approval must not read that their press had no effect."""
    instance = asked(("any", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.press("wang.boss")
    phones.work()
    assert status(instance) == "approved"
    assert presses(instance) == [("wang", "approve", "applied", ""), ("wang", "press", "refused", "twice")]
    assert note(phones, "wang.boss") == "You have agreed already; once is enough."
    assert phones.states("wang.boss") == phones.states("zhao.vp") == ["Approved"]


def test_a_card_of_somebody_else_is_none_of_ours(phones, asked, wang):
    asked(("all", "wang.boss"))
    phones.click("wang.boss", "another-system-7", "agree", force=True)
    phones.deliver(*phones.take())
    phones.work()
    assert CallbackEvent.objects.get().outcome == "ignored"
    assert not CardCode.objects.exclude(clicked_by="").exists()


# --- delivered again ------------------------------------------------------------------------------------------------


def test_a_press_delivered_twice_has_one_effect(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    phones.click("wang.boss", instance.cards.first().task_id, "agree")
    packet = phones.take()
    phones.deliver(*packet)
    phones.deliver(*packet)
    phones.work()
    assert presses(instance) == [("wang", "approve", "applied", "")]


def test_a_replay_has_no_effect(phones, asked, wang, zhao):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.press("wang.boss")
    phones.work()
    before = presses(instance), CardCode.objects.count(), instance.operations.count()
    calls = phones.calls("message/update_template_card")
    inbox.replay(CallbackEvent.objects.all())
    phones.work()
    assert (presses(instance), CardCode.objects.count(), instance.operations.count()) == before
    assert phones.calls("message/update_template_card") == calls
    assert set(CallbackEvent.objects.values_list("outcome", flat=True)) == {"unchanged"}


def test_every_code_is_used_at_most_once(phones, asked, wang, zhao):
    asked(("any", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.press("zhao.vp")
    phones.work()
    assert phones.calls("message/update_template_card") == CardCode.objects.exclude(spent_at=None).count() == 2
    assert ApprovalCard.objects.get().state == "closed"
