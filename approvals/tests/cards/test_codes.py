"""Codes end, are lost, or are spent by a worker that dies: what the phones show stays true."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from approvals import engine
from approvals.cards.ending import queue_ending
from approvals.models import ApprovalCard, CardCode, SyncOperation
from config.durable import Status

from .conftest import Phones, cards_of, last_operation

pytestmark = pytest.mark.django_db
UPDATE = "message/update_template_card"


def make_older(phones: Phones, hours: float) -> None:
    """Both sides: every card was sent so many hours earlier."""
    for card in ApprovalCard.objects.all():
        phones.make_card_older(card.task_id, hours)
    by = timedelta(hours=hours)
    ApprovalCard.objects.update(sent_at=F("sent_at") - by)
    CardCode.objects.update(until=F("until") - by)


# --- the end of a code ----------------------------------------------------------------------------------------------


def test_before_its_code_ends_a_card_turns_into_one_that_leads_to_the_system(phones, asked, wang):
    instance = asked(("all", "wang.boss"))
    make_older(phones, 69.9)
    assert queue_ending() == 0
    make_older(phones, 0.2)
    assert queue_ending() == 1
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "link")]
    (card,) = phones.seen("wang.boss")
    url = f"https://quotes.example.com/m/approvals/{instance.pk}"
    assert card["card_type"] == "text_notice"
    assert card["jump_list"] == [{"type": 1, "title": "Decide in the system", "url": url}]
    assert phones.keys("wang.boss") == []
    assert queue_ending() == 0


def test_the_end_comes_as_a_notice_when_the_card_is_too_old_to_be_changed_or_recalled(phones, asked, wang, as_actor):
    instance = asked(("all", "wang.boss"))
    make_older(phones, 71)
    queue_ending()
    phones.work()
    engine.approve(instance=instance, actor=as_actor(wang))
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "lost"), (0, ["wang.boss"], "closed")]
    assert phones.states("wang.boss") == ["Approved", "Waiting for your decision"]
    assert phones.calls("message/recall") == 0
    assert last_operation(instance).status == Status.SUCCEEDED


def test_a_card_whose_end_was_missed_is_sent_anew(phones, asked, wang):
    instance = asked(("all", "wang.boss"))
    make_older(phones, 80)  # nothing ran for a day
    queue_ending()
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "lost"), (0, ["wang.boss"], "live")]
    phones.press("wang.boss")
    phones.work()
    instance.refresh_from_db()
    assert instance.status == "approved"
    assert phones.states("wang.boss")[0] == "Approved"


def test_the_codes_of_ended_approvals_are_left_alone(phones, asked, li, wang, as_actor):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    phones.press("wang.boss")
    phones.work()
    engine.withdraw(instance=instance, actor=as_actor(li))
    phones.work()
    make_older(phones, 71)
    assert queue_ending() == 0


def test_a_press_brings_a_code_that_keeps_the_card_alive(phones, asked, wang, zhao):
    """The refusal is told with the press's own code; the one that came with the message is left for the end."""
    instance = asked(("all", "wang.boss"))
    wang.user_permissions.clear()
    phones.press("wang.boss")
    phones.work()
    sent, pressed = CardCode.objects.order_by("pk")
    assert (sent.spent_at, sent.clicked_by) == (None, "")
    assert (pressed.clicked_by, pressed.spent_at is None) == ("wang.boss", False)
    assert cards_of(instance) == [(0, ["wang.boss"], "live")]


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_busy_wecom_spends_no_code(phones, asked, wang, as_actor):
    instance = asked(("all", "wang.boss"))
    phones.fault("errcode", endpoint=UPDATE, count=1, errcode=-1)
    engine.approve(instance=instance, actor=as_actor(wang))
    phones.work()
    assert last_operation(instance).status == Status.FAILED
    assert CardCode.objects.get().spent_at is None
    phones.work_again()
    assert cards_of(instance) == [(0, ["wang.boss"], "closed")]
    assert phones.states("wang.boss") == ["Approved"]


def test_a_code_whose_fate_is_unknown_is_not_used_again(phones, asked, wang, as_actor):
    """The answer to the change is lost; nobody knows what the phone shows: it is taken away and sent anew."""
    instance = asked(("all", "wang.boss"))
    phones.fault("close_before", endpoint=UPDATE, count=1)
    engine.approve(instance=instance, actor=as_actor(wang))
    phones.work()
    card = instance.cards.get()
    assert (card.state, card.shown, CardCode.objects.get().spent_at is None) == ("live", "", False)
    phones.work_again()
    assert cards_of(instance) == [(0, ["wang.boss"], "recalled"), (0, ["wang.boss"], "closed")]
    assert phones.states("wang.boss") == ["Approved"]
    assert phones.calls("message/recall") == 1


def test_a_lost_answer_to_a_recall_sends_one_notice(phones, asked, wang, as_actor):
    instance = asked(("all", "wang.boss"))
    CardCode.objects.all().delete()
    phones.fault("close_after", endpoint="message/recall", count=1)
    engine.approve(instance=instance, actor=as_actor(wang))
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "live")]
    phones.work_again()
    assert phones.states("wang.boss") == ["Approved"]
    assert instance.cards.filter(replaces__isnull=False).count() == 1


def test_a_code_that_wecom_calls_spent_is_followed_by_another(phones, asked, wang, zhao):
    instance = asked(("any", "wang.boss", "zhao.vp"))
    earlier = F("until") - timedelta(hours=1)  # is tried first
    CardCode.objects.update(code="never-given-by-wecom", clicked_by="zhao.vp", until=earlier)
    phones.press("wang.boss")
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss", "zhao.vp"], "closed")]
    assert phones.states("zhao.vp") == ["Approved"]
    assert phones.calls(UPDATE) == 2


def test_a_change_that_fails_for_good_keeps_no_other_card_from_its_own(phones, asked, wang, zhao, as_actor):
    instance = asked(("all", "wang.boss", "zhao.vp"))
    phones.fault("errcode", endpoint=UPDATE, count=1, errcode=42033)
    engine.reject(instance=instance, actor=as_actor(wang), reason="too dear")
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "live"), (0, ["zhao.vp"], "closed")]
    row = last_operation(instance)
    assert (row.status, row.error_code) == (Status.DEAD, 42033)
    SyncOperation.objects.filter(pk=row.pk).retry()
    phones.work()
    assert cards_of(instance) == [(0, ["wang.boss"], "closed"), (0, ["zhao.vp"], "closed")]


def test_an_approver_who_left_the_apps_sight_is_no_failure(phones, asked, wang, as_actor):
    instance = asked(("all", "wang.boss"))
    phones.fault("errcode", endpoint=UPDATE, count=1, errcode=82102)
    engine.approve(instance=instance, actor=as_actor(wang))
    phones.work()
    card = instance.cards.get()
    assert (card.state, card.not_reached) == ("lost", ["wang.boss"])
    assert last_operation(instance).status == Status.SUCCEEDED


def test_a_card_of_which_nobody_knows_whether_it_arrived_is_not_left_unanswered(phones, asked, li, wang, as_actor):
    phones.fault("close_after", endpoint="message/send", count=1)
    instance = asked(("all", "wang.boss"))
    engine.withdraw(instance=instance, actor=as_actor(li))
    phones.work_again()
    assert phones.states("wang.boss")[0] == "Withdrawn"
    assert cards_of(instance) == [(0, ["wang.boss"], "lost"), (0, ["wang.boss"], "closed")]
    phones.press("wang.boss", instance.cards.first())  # the first has arrived after all
    phones.work()
    assert phones.states("wang.boss") == ["Withdrawn", "Withdrawn"]


def test_a_press_proves_that_a_card_has_arrived(phones, asked, wang):
    phones.fault("close_after", endpoint="message/send", count=1)
    instance = asked(("all", "wang.boss"))
    assert cards_of(instance) == [(0, ["wang.boss"], "queued")]
    phones.press("wang.boss")
    phones.work_again()
    assert cards_of(instance) == [(0, ["wang.boss"], "closed")]
    assert phones.states("wang.boss") == ["Approved"]
    assert len(phones.cards("wang.boss")) == 1


def test_a_switched_off_app_is_waited_for(phones, asked, wang, wecom_app):
    instance = asked(("all", "wang.boss"), send=False)
    type(wecom_app).objects.update(enabled=False)
    phones.work()
    row = last_operation(instance)
    assert (row.status, phones.calls("message/send")) == (Status.FAILED, 0)
