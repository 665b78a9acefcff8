"""What is known of the approval, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from approvals import engine, quotes
from approvals.actors import Actor, actor_for
from approvals.exceptions import EngineError
from approvals.models import (
    ApprovalCard,
    ApprovalInstance,
    ApprovalTimeline,
    CardState,
    Channel,
    InstanceStatus,
    Outcome,
    SyncOperation,
)
from approvals.tests.conftest import CONTENT
from approvals.tests.machine.form import APPROVERS, WeCom
from approvals.transitions import FROM_REMOTE, QUOTE_STATUS

MOST_OPERATIONS = 2
"""Of one action here: a message to people, and the cards brought up to date."""


class Model(RuleBasedStateMachine):
    """The approval, what the model knows of it, and what must always hold."""

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
        self.refused = False  # oa: WeCom did not take the submission
        self.newer: ApprovalInstance | None = None
        if self.flow == "internal":
            known = {"instance": self.instance, "node": 0, "state": CardState.LIVE}
            ApprovalCard.objects.bulk_create(ApprovalCard(**known, task_id=who, userids=[who]) for who in APPROVERS)
        # the model
        self.status = "pending" if self.flow == "internal" else "submitting"
        self.decided: str | None = None  # here
        self.settled: str | None = None
        self.agreed_here: set[str] = set()
        self.deputies: dict[str, str] = {}
        self.escalated = False
        self.heard: set[int] = set()
        self.conflict = False
        # the bookkeeping
        self.told: set[str] = set()  # event IDs
        self.presses: list[tuple[str, str]] = []  # who, on whose card
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

    def agreed_there(self) -> set[str]:
        return self.wecom.agreed(max(self.heard)) if self.wecom and self.heard else set()

    def waiting_places(self) -> set[str]:
        return {*APPROVERS} - self.agreed_here - self.agreed_there() if self.status == "pending" else set()

    def open_places(self, userid: str) -> set[str]:
        """The places that ``userid`` may decide."""
        return {place for place in self.waiting_places() if userid in (place, self.deputies.get(place))}

    def note_agreement(self, places: set[str]) -> None:
        self.agreed_here |= places
        if places and self.agreed_here | self.agreed_there() == {*APPROVERS}:
            self.decided = "approved"

    def expect(self) -> None:
        """The one state that follows from what was decided here and from the latest fact heard."""
        word = self.wecom.facts[max(self.heard)].status or "" if self.wecom and self.heard else ""
        theirs = FROM_REMOTE[word].value if word not in ("", "pending") else ""
        if self.decided is None:
            started = self.flow == "internal" or self.known_to_wecom or bool(self.heard)
            self.status = theirs or ("pending" if started else "failed" if self.refused else "submitting")
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

    @invariant()
    def it_is_as_the_model_says_and_the_quote_follows(self) -> None:
        if not hasattr(self, "status"):
            return
        row = ApprovalInstance.objects.select_related("quote").get(pk=self.instance.pk)
        assert (row.status, row.conflict) == (self.status, self.conflict)
        followed = InstanceStatus(self.newer.status if self.newer else row.status)
        assert (row.quote.approval_status, row.quote.status) == (followed, QUOTE_STATUS[followed])

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
        open_there = word == "pending" or (not word and self.known_to_wecom)
        ahead = self.decided is not None or bool(self.agreed_here - self.agreed_there())
        row = ApprovalInstance.objects.get(pk=self.instance.pk)
        assert row.remote_pending == (open_there and ahead)
