"""Approvals that nobody decides: reminders and escalation by the rule, and what must not happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from approvals import engine
from approvals.actors import Actor
from approvals.exceptions import NotAllowed, WrongState
from approvals.models import ApprovalInstance, ApprovalRule, Outcome, Quote, SyncOperation
from approvals.overdue import Report, act_on_overdue
from approvals.tests.chains import one_step

pytestmark = pytest.mark.django_db
Clock = Callable[..., None]


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Moves the time on."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield lambda **passed: traveller.shift(timedelta(**passed))


@pytest.fixture
def waiting(clock: Clock, quote: Quote, li: User, as_actor: Any) -> Callable[..., ApprovalInstance]:
    """Submitted under a rule of an internal flow with these terms."""

    def submit(*approvers: str, relation: str = "all", **terms: Any) -> ApprovalInstance:
        chain = one_step(*(approvers or ("wang.boss",)), relation=relation)
        ApprovalRule.objects.create(name="all", flow="internal", chain=chain, **terms)
        return engine.submit(quote=quote, actor=as_actor(li))

    return submit


def texts(instance: ApprovalInstance) -> list[tuple[str, list[str]]]:
    """What was queued to be told, and to whom, in order."""
    rows = SyncOperation.objects.filter(instance=instance, kind="tell").order_by("id")
    return [(row.payload["verb"], row.payload["to"]) for row in rows]


def test_who_decides_late_is_reminded_as_often_as_the_rule_says(waiting: Any, clock: Clock) -> None:
    instance = waiting(remind_after=4)
    clock(hours=3, minutes=59)
    assert act_on_overdue() == Report()
    clock(minutes=1)
    assert act_on_overdue() == Report(reminded=1)
    assert act_on_overdue() == Report()  # once for each interval
    clock(hours=4)
    assert act_on_overdue() == Report(reminded=1)
    assert texts(instance) == [("remind", ["wang.boss"])] * 2
    entry = instance.timeline.filter(action="remind").last()
    assert (entry.channel, entry.outcome) == ("system", Outcome.APPLIED)


def test_a_turn_that_has_just_begun_is_not_overdue(waiting: Any, clock: Clock, wang: User, as_actor: Any) -> None:
    instance = waiting("wang.boss", "zhao.vp", relation="in_turn", remind_after=4)
    clock(hours=3)
    engine.approve(instance=instance, actor=as_actor(wang))
    clock(hours=3)
    assert act_on_overdue() == Report()
    clock(hours=1)
    assert act_on_overdue() == Report(reminded=1)
    assert ("remind", ["zhao.vp"]) in texts(instance)


def test_nobody_is_reminded_of_what_is_decided(waiting: Any, clock: Clock, wang: User, as_actor: Any) -> None:
    instance = waiting(remind_after=1, escalate_after=1, escalate_to="zhao.vp")
    engine.approve(instance=instance, actor=as_actor(wang))
    clock(days=9)
    assert act_on_overdue() == Report()


def test_a_person_and_the_clock_do_not_remind_twice(waiting: Any, clock: Clock, li: User, as_actor: Any) -> None:
    instance = waiting(remind_after=2)
    clock(hours=1, minutes=55)
    engine.remind(instance=instance, actor=as_actor(li))
    clock(minutes=5)
    assert act_on_overdue() == Report()
    with pytest.raises(WrongState):
        engine.remind(instance=instance, actor=as_actor(li))
    clock(minutes=5)
    engine.remind(instance=instance, actor=as_actor(li))


def test_how_often_a_person_may_remind_is_set(
    waiting: Any, clock: Clock, li: User, as_actor: Any, settings: Any
) -> None:
    settings.APPROVAL_REMIND_MINUTES = 60
    instance = waiting()
    engine.remind(instance=instance, actor=as_actor(li))
    clock(minutes=59)
    with pytest.raises(WrongState):
        engine.remind(instance=instance, actor=as_actor(li))
    clock(minutes=1)
    engine.remind(instance=instance, actor=as_actor(li))


def test_one_more_person_may_decide_after_a_while(
    waiting: Any, clock: Clock, wang: User, zhao: User, as_actor: Callable[[User], Actor]
) -> None:
    instance = waiting(escalate_after=24, escalate_to="zhao.vp")
    with pytest.raises(NotAllowed):
        engine.approve(instance=instance, actor=as_actor(zhao))
    clock(hours=24)
    assert act_on_overdue() == Report(escalated=1)
    assert act_on_overdue() == Report()
    clock(days=3)
    assert act_on_overdue() == Report()  # once in its life
    entry = instance.timeline.get(action="escalate")
    assert (entry.outcome, entry.details["delegate_to"]) == (Outcome.APPLIED, "zhao.vp")
    assert engine.approve(instance=instance, actor=as_actor(zhao)).status == "approved"


def test_a_delegate_that_somebody_chose_stays(
    waiting: Any, clock: Clock, wang: User, zhao: User, as_actor: Callable[[User], Actor]
) -> None:
    instance = waiting("wang.boss", escalate_after=1, escalate_to="zhao.vp")
    engine.delegate(instance=instance, actor=as_actor(wang), delegate_to="sun.director")
    clock(hours=1)
    act_on_overdue()
    assert instance.steps.get().delegated_to == "sun.director"
    assert texts(instance)[-1] == ("escalate", ["zhao.vp"])


def test_an_approver_of_the_step_is_only_told(waiting: Any, clock: Clock) -> None:
    instance = waiting("wang.boss", "zhao.vp", escalate_after=1, escalate_to="ZHAO.vp")
    clock(hours=1)
    assert act_on_overdue() == Report(escalated=1)
    assert set(instance.steps.values_list("delegated_to", flat=True)) == {""}
    assert texts(instance) == [("escalate", ["ZHAO.vp"])]


def test_an_applicant_is_never_made_the_judge(waiting: Any, clock: Clock) -> None:
    instance = waiting(escalate_after=1, escalate_to="li.mei")
    clock(hours=1)
    act_on_overdue()
    assert instance.steps.get().delegated_to == ""
    assert instance.timeline.get(action="escalate").outcome == Outcome.REFUSED
    assert texts(instance) == []


def test_the_look_for_overdue_ones_does_not_grow_with_those_that_are_not(
    waiting: Any, clock: Clock, django_assert_max_num_queries: Any
) -> None:
    waiting(remind_after=4)
    clock(hours=2)
    with django_assert_max_num_queries(2):
        act_on_overdue()
