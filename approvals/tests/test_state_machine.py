"""Any interleaving of what people do here, what they do in WeCom, and how that is heard ends where a small model says.

WeCom's form lives its own life, one fact after another; each may be heard at any time, in any order, repeatedly, by a
callback or a comparison, or not yet. The model never looks at the order in which facts were heard: it knows the latest
fact heard, and what had been decided here. So whenever the engine keeps to it, all orders of the same facts agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from itertools import permutations
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from approvals import engine, quotes
from approvals.actors import Actor, actor_for
from approvals.exceptions import EngineError, NoInstance
from approvals.models import ApprovalInstance, ApprovalTimeline, Channel, InstanceStatus, Outcome, SyncOperation
from approvals.tests.conftest import CONTENT
from approvals.tests.snapshots import after, says, step
from approvals.transitions import FROM_REMOTE, QUOTE_STATUS
from wecom.snapshots import RemoteApproval

SP_NO = "202601050001"
APPROVERS = ("wang.boss", "zhao.vp")
DEPUTY = "qian.d"
WORDS = ("approved", "approved", "rejected")
MOST_OPERATIONS = 2
"""Of one action here: a message to people, and the cards brought up to date."""


class WeCom:
    """The form as it is in WeCom, and the facts of its life."""

    def __init__(self) -> None:
        self.status = "pending"
        self.steps: dict[str, tuple[str, datetime | None]] = dict.fromkeys(APPROVERS, ("pending", None))
        self.seconds = 0
        self.facts: list[RemoteApproval] = []
        self.note(1)

    def agreed(self, fact: int) -> set[str]:
        return {one.userid for one in self.facts[fact].steps if one.status == "approved"}

    def note(self, change_code: int | None) -> None:
        people = [step(userid, status, at=at) for userid, (status, at) in self.steps.items()]
        self.facts.append(says(self.status, sp_no="", at=after(self.seconds), change_code=change_code, steps=people))

    def decide(self, userid: str, word: str) -> None:
        self.steps[userid] = (word, after(self.seconds))
        if word == "rejected":
            self.status = "rejected"
        elif all(status == "approved" for status, _at in self.steps.values()):
            self.status = "approved"
        self.note({"approved": 2, "rejected": 3}[word])

    def end(self, status: str) -> None:
        self.status = status
        self.note({"cancelled": 6, "revoked": 8}.get(status))


class Machine(RuleBasedStateMachine):
    flow: ClassVar[str]
    policy: ClassVar[str]
    people: ClassVar[dict[str, User]]

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @initialize()
    def submit(self) -> None:
        li = self.actor("li.mei")
        quote = quotes.create_quote(data=CONTENT, actor=li)
        self.instance = engine.submit(quote=quote, actor=li, flow=self.flow, approvers=self.asked_for())
        self.wecom = WeCom() if self.flow == "wecom_oa" else None
        self.known_to_wecom = False  # oa: its number has reached us
        # the model
        self.status = "pending" if self.flow == "internal" else "submitting"
        self.decided: str | None = None  # here
        self.settled: str | None = None
        self.agreed_here: set[str] = set()
        self.deputies: dict[str, str] = {}
        self.heard: set[int] = set()
        self.conflict = False
        # the bookkeeping
        self.told: set[str] = set()  # event IDs
        self.past = self.entries()
        self.operations = SyncOperation.objects.count()
        assert len(self.past) == 1

    # -- helpers -----------------------------------------------------------------------------------------------------

    def actor(self, userid: str, channel: str = Channel.INTERNAL) -> Actor:
        if channel == Channel.WECOM:
            return Actor(channel=channel, userid=userid, name=userid)
        return actor_for(self.people[userid], channel)

    def asked_for(self) -> list[str] | None:
        """WeCom's engine takes the approvers from its own template."""
        return None if self.flow == "wecom_engine" else list(APPROVERS)

    def entries(self) -> list[dict[str, Any]]:
        rows = ApprovalTimeline.objects.filter(instance=self.instance).order_by("pk")
        return [dict(row) for row in rows.values()]

    @contextmanager
    def growth(self, entries: int, *, operations: int = 0) -> Iterator[None]:
        """In the block the timeline gets exactly so many entries, and at most so many operations are queued."""
        before, queued = len(self.past), SyncOperation.objects.count()
        yield
        now = self.entries()
        assert now[:before] == self.past, "the past was rewritten"
        assert len(now) == before + entries, [entry["action"] for entry in now[before:]]
        assert SyncOperation.objects.count() - queued <= operations
        self.past = now

    def act(self, allowed: bool, verb: Callable[..., object], **arguments: Any) -> None:
        """Do something here; it must be accepted, or refused, as the model says."""
        channel = arguments["actor"].channel
        most = MOST_OPERATIONS if allowed else 0
        answer = nullcontext() if allowed else pytest.raises(EngineError)
        with self.growth(1 if allowed else 0, operations=most), answer:
            verb(instance=self.instance, **arguments)
        if allowed:
            assert self.past[-1]["channel"] == channel

    def open_places(self, userid: str) -> set[str]:
        """The places that ``userid`` may decide."""
        done = self.agreed_here | (self.wecom.agreed(max(self.heard)) if self.wecom and self.heard else set())
        mine = {place for place in APPROVERS if userid in (place, self.deputies.get(place))}
        return mine - done if self.status == "pending" else set()

    def expect(self) -> None:
        """The one state that follows from what was decided here and from the latest fact heard."""
        word = self.wecom.facts[max(self.heard)].status or "" if self.wecom and self.heard else ""
        theirs = FROM_REMOTE[word].value if word not in ("", "pending") else ""
        if self.decided is None:
            started = self.flow == "internal" or self.known_to_wecom or bool(self.heard)
            self.status = theirs or ("pending" if started else "submitting")
            return
        said = {self.wecom.facts[fact].status for fact in self.heard} if self.wecom else set()
        agreed = any(FROM_REMOTE[one or ""].value == self.decided for one in said if one != "pending")
        agreed = agreed or (word == "revoked" and self.decided == "approved")
        if self.settled:
            self.status = self.decided if self.settled == "ours" else theirs
            self.conflict = False
        elif not theirs or agreed:
            self.status, self.conflict = theirs or self.decided, False
        else:
            self.status, self.conflict = theirs if self.policy == "wecom_wins" else self.decided, True

    # -- here --------------------------------------------------------------------------------------------------------

    def channels(self) -> list[str]:
        return ["internal", "api", "wecom"] if self.flow == "internal" else ["internal", "api"]

    @rule(userid=st.sampled_from([*APPROVERS, DEPUTY, "li.mei"]), data=st.data())
    def approve(self, userid: str, data: st.DataObject) -> None:
        self.agree(userid, data.draw(st.sampled_from(self.channels() if userid != "li.mei" else [Channel.API])))

    def agree(self, userid: str, channel: str = Channel.API) -> None:
        places = self.open_places(userid)
        self.act(bool(places), engine.approve, actor=self.actor(userid, channel))
        if places:
            self.agreed_here |= places
            there = self.wecom.agreed(max(self.heard)) if self.wecom and self.heard else set()
            if self.agreed_here | there == {*APPROVERS}:
                self.decided = "approved"
        self.expect()

    @rule(userid=st.sampled_from([*APPROVERS, DEPUTY]), data=st.data())
    def reject(self, userid: str, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from(self.channels()))
        allowed = bool(self.open_places(userid))
        self.act(allowed, engine.reject, actor=self.actor(userid, channel), reason="no")
        if allowed:
            self.decided = "rejected"
        self.expect()

    @rule(userid=st.sampled_from(["li.mei", "wang.boss"]))
    def withdraw(self, userid: str) -> None:
        allowed = userid == "li.mei" and self.status in ("pending", "submitting")
        self.act(allowed, engine.withdraw, actor=self.actor(userid))
        if allowed:
            self.decided = "cancelled"
        self.expect()

    @rule(userid=st.sampled_from(APPROVERS), to=st.sampled_from([DEPUTY, "li.mei", "wang.boss"]))
    def delegate(self, userid: str, to: str) -> None:
        places = self.open_places(userid)
        allowed = bool(places) and to == DEPUTY and DEPUTY not in self.deputies.values()
        self.act(allowed, engine.delegate, actor=self.actor(userid), delegate_to=to)
        if allowed:
            self.deputies |= dict.fromkeys(places, DEPUTY)

    @rule()
    def remind(self) -> None:
        recently = any(entry["action"] == "remind" for entry in self.past)
        self.act(self.status == "pending" and not recently, engine.remind, actor=self.actor("li.mei"))

    @rule(keep=st.sampled_from(["ours", "wecom"]), userid=st.sampled_from(["chen.it", "wang.boss"]))
    def close_conflict(self, keep: str, userid: str) -> None:
        allowed = self.conflict and userid == "chen.it"
        self.act(allowed, engine.close_conflict, actor=self.actor(userid), keep=keep, reason="spoken")
        if allowed:
            self.settled = keep
        self.expect()

    # -- in WeCom ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.flow == "wecom_engine" and self.wecom is None)
    @rule()
    def start_in_wecom(self) -> None:
        self.wecom = WeCom()

    @precondition(lambda self: self.wecom and self.wecom.status == "pending")
    @rule(
        userid=st.sampled_from(APPROVERS),
        word=st.sampled_from(["approved", "approved", "rejected"]),
        later=st.booleans(),
    )
    def decide_in_wecom(self, userid: str, word: str, later: bool) -> None:
        assert self.wecom
        self.wecom.seconds += later
        if self.wecom.steps[userid][0] == "pending":
            self.wecom.decide(userid, word)

    @precondition(lambda self: self.wecom)
    @rule(status=st.sampled_from(["cancelled", "revoked", "paid", "deleted"]))
    def end_in_wecom(self, status: str) -> None:
        assert self.wecom
        possible = {
            "pending": {"cancelled"},
            "approved": {"revoked", "paid", "deleted"},
            "paid": {"revoked", "deleted"},
            "deleted": set(),
        }
        if status in possible.get(self.wecom.status, {"deleted"}):
            self.wecom.seconds += 1
            self.wecom.end(status)

    # -- hearing of it -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.flow == "wecom_oa")
    @rule()
    def learn_the_number(self) -> None:
        told = MOST_OPERATIONS if self.decided == "cancelled" and not self.known_to_wecom else 0
        with self.growth(0 if self.known_to_wecom else 1, operations=told):
            engine.submission_accepted(instance=self.instance, sp_no=SP_NO)
        self.known_to_wecom = True
        self.expect()

    @precondition(lambda self: self.wecom)
    @rule(data=st.data())
    def callback(self, data: st.DataObject) -> None:
        assert self.wecom
        self.hear_event(data.draw(st.integers(0, len(self.wecom.facts) - 1), label="fact"))

    def hear_event(self, fact: int) -> None:
        assert self.wecom
        event_id = f"event-{fact}"
        self.hear(fact, self.wecom.facts[fact], new=event_id not in self.told, source="callback", event_id=event_id)

    @precondition(lambda self: self.wecom)
    @rule(source=st.sampled_from(["reconcile", "manual"]))
    def compare(self, source: str) -> None:
        assert self.wecom
        latest = len(self.wecom.facts) - 1
        form = self.wecom.facts[latest]
        dated = max(filter(None, (one.at for one in form.steps)), default=after(0))
        polled = replace(form, change_code=None, changed_at=dated)
        self.hear(latest, polled, new=None, source=source)

    def hear(self, fact: int, word: RemoteApproval, *, new: bool | None, **how: Any) -> None:
        """``new``: whether it leaves an entry; None: if it brought news."""
        assert self.wecom
        if self.flow == "wecom_oa" and not self.known_to_wecom:
            with self.growth(0), pytest.raises(NoInstance):
                engine.apply_remote(self.addressed(word), **how)
            return
        before = ApprovalInstance.objects.values("status", "remote_status", "remote_pending", "conflict", "paid_at")
        steps = self.instance.steps.order_by("node", "position").values_list("userid", "status", "comment")
        seen = before.get(pk=self.instance.pk), list(steps.all())
        completed = self.complete(fact)
        self.heard.add(fact)
        self.told.add(how.get("event_id", ""))
        self.expect()
        count, queued = len(self.past), SyncOperation.objects.count()
        outcome = engine.apply_remote(self.addressed(word), **how)
        news = (before.get(pk=self.instance.pk), list(steps.all())) != seen
        entries = int(news or outcome != Outcome.UNCHANGED) if new is None else int(new)
        now = self.entries()
        assert now[:count] == self.past, "the past was rewritten"
        assert len(now) == count + entries + completed, (outcome, [entry["action"] for entry in now[count:]])
        assert SyncOperation.objects.count() == queued, "WeCom's words must not be sent back to WeCom"
        assert all(entry["channel"] == "wecom" for entry in now[len(now) - entries :])
        self.past = now

    def complete(self, fact: int) -> bool:
        """Whether all have agreed now, some here and the others in WeCom."""
        assert self.wecom
        if self.status != "pending" or fact <= max(self.heard, default=-1):
            return False
        there = self.wecom.agreed(fact)
        if not self.agreed_here - there or self.agreed_here | there != {*APPROVERS}:
            return False
        self.decided = "approved"
        return True

    def addressed(self, word: RemoteApproval) -> RemoteApproval:
        if self.flow == "wecom_oa":
            return replace(word, sp_no=SP_NO)
        return replace(word, kind="engine", third_no=self.instance.third_no, change_code=None)

    # -- what must always hold ---------------------------------------------------------------------------------------

    @invariant()
    def it_is_as_the_model_says_and_the_quote_follows(self) -> None:
        if not hasattr(self, "status"):
            return
        row = ApprovalInstance.objects.select_related("quote").get(pk=self.instance.pk)
        assert (row.status, row.conflict) == (self.status, self.conflict)
        assert (row.quote.approval_status, row.quote.status) == (row.status, QUOTE_STATUS[InstanceStatus(row.status)])

    @invariant()
    def the_timeline_tells_how_it_came_about(self) -> None:
        if not hasattr(self, "status"):
            return
        state = self.past[0]["to_status"]
        for entry in self.past[1:]:
            assert entry["from_status"] == state, entry
            state = entry["to_status"]
            if entry["outcome"] == Outcome.STALE:
                assert entry["from_status"] == entry["to_status"]
        assert state == self.status

    @invariant()
    def wecom_is_waited_for_exactly_while_it_shows_less_than_was_decided_here(self) -> None:
        if not hasattr(self, "status") or self.flow == "internal":
            return
        word = self.wecom.facts[max(self.heard)].status if self.wecom and self.heard else ""
        there = self.wecom.agreed(max(self.heard)) if self.wecom and self.heard else set()
        open_there = word == "pending" or (not word and self.known_to_wecom)
        ahead = self.decided is not None or bool(self.agreed_here - there)
        row = ApprovalInstance.objects.get(pk=self.instance.pk)
        assert row.remote_pending == (open_there and ahead)


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
