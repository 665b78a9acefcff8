"""Any interleaving of what people do here, what they do in WeCom, and how that is heard ends where a small model says.

The model, and what may happen, are in ``machine``; here it is let loose, and led where chance rarely goes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from approvals import engine
from approvals.tests.machine import Machine
from approvals.tests.machine.form import APPROVERS
from approvals.tests.machine.here import DEPUTY


@pytest.fixture
def everybody(li: User, wang: User, zhao: User, chen: User, person: Callable[..., User]) -> dict[str, User]:
    others = {userid: person(userid[:4], userid, "decide_approval") for userid in (DEPUTY,)}
    return {"li.mei": li, "wang.boss": wang, "zhao.vp": zhao, "chen.it": chen, **others}


RUNS = [("internal", "first_wins")] + [
    (flow, policy) for flow in ("wecom_oa", "wecom_engine") for policy in ("first_wins", "wecom_wins")
]


def explore(flow: str, policy: str, people: dict[str, User], *, examples: int, steps: int) -> None:
    machine = type("Exploration", (Machine,), {"flow": flow, "policy": policy, "people": people})
    limits = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=limits)


@pytest.mark.django_db
@pytest.mark.parametrize(("flow", "policy"), RUNS)
def test_every_interleaving_ends_where_the_model_says(flow, policy, everybody, settings) -> None:
    settings.APPROVAL_CONFLICT_POLICY = policy
    explore(flow, policy, everybody, examples=20, steps=18)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(("flow", "policy"), RUNS)
def test_every_long_interleaving_does_so_too(flow, policy, everybody, settings) -> None:
    settings.APPROVAL_CONFLICT_POLICY = policy
    explore(flow, policy, everybody, examples=150, steps=40)


DECISIONS = ("both agree", "one agrees", "rejected", "withdrawn")
LIVES = (("approved", "revoked"), ("approved", "paid", "deleted"), ("rejected", "deleted"), ("cancelled", "deleted"))


@pytest.mark.django_db
@pytest.mark.parametrize("policy", ["first_wins", "wecom_wins"])
@pytest.mark.parametrize("decision", DECISIONS)
def test_every_order_of_every_short_life_behind_every_decision(decision, policy, everybody, settings) -> None:
    """The paths that chance takes rarely, all of them."""
    settings.APPROVAL_CONFLICT_POLICY = policy
    kind = type("Walk", (Machine,), {"flow": "wecom_oa", "policy": policy, "people": everybody})
    for life in LIVES:
        orders = [*permutations(range(len(life)))]
        for order, keep in [*((order, "") for order in orders), (orders[0], "ours"), (orders[0], "wecom")]:
            walk = kind()
            try:
                walk_through(walk, decision, life, order, keep)
            finally:
                walk.teardown()


def walk_through(walk: Any, decision: str, life: tuple[str, ...], order: tuple[int, ...], keep: str) -> None:
    """``keep``: how a person settles the conflict as soon as there is one; empty: nobody does."""
    walk.submit()
    walk.learn_the_number()
    first, second = APPROVERS
    if decision in ("both agree", "one agrees"):
        for userid in APPROVERS[: 2 if decision == "both agree" else 1]:
            walk.agree(userid)
    elif decision == "rejected":
        walk.act(True, engine.reject, actor=walk.actor(first), reason="no")
        walk.decided = "rejected"
    else:
        walk.withdraw("li.mei")
    wecom = walk.wecom
    wecom.seconds += 1
    if life[0] != "cancelled":
        wecom.decide(second, "approved")
        wecom.decide(first, life[0])
    start = len(wecom.facts) - (life[0] != "cancelled")
    for status in life[0 if life[0] == "cancelled" else 1 :]:
        wecom.end(status)
    for fact in order:
        walk.hear_event(start + fact)
        if keep and walk.conflict:
            walk.close_conflict(keep, "chen.it")
        walk.it_is_as_the_model_says_and_the_quote_follows()
        walk.the_timeline_tells_how_it_came_about()
    for fact in range(len(wecom.facts)):
        walk.hear_event(fact)
    walk.compare("reconcile")
    walk.nothing_moves(range(len(wecom.facts))[::-1])


PRESSES = [*product((*APPROVERS, DEPUTY), APPROVERS)]
"""Who presses, on whose card."""


@pytest.mark.django_db
def test_every_two_presses_beside_a_decision_and_all_delivered_again(everybody):
    kind = type("Walk", (Machine,), {"flow": "internal", "policy": "first_wins", "people": everybody})
    for presses in product(PRESSES, repeat=2):
        walk: Any = kind()
        try:
            walk.submit()
            for press in presses:
                walk.press(*press)
            walk.agree("wang.boss")
            with walk.growth(0):
                for number in (1, 0, 1):
                    walk.deliver_press(number)
            walk.it_is_as_the_model_says_and_the_quote_follows()
            walk.the_timeline_tells_how_it_came_about()
        finally:
            walk.teardown()
