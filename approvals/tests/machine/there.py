"""What happens in WeCom, and how it is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from approvals import engine
from approvals.exceptions import NoInstance
from approvals.models import ApprovalInstance, Outcome, SyncOperation
from approvals.tests.machine.form import APPROVERS, WeCom
from approvals.tests.machine.model import MOST_OPERATIONS, Model
from approvals.tests.snapshots import after, says
from wecom.snapshots import RemoteApproval

SP_NO = "202601050001"


class There(Model):
    """Facts first; each is heard whenever it is, as often as it is, or never."""

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

    @precondition(lambda self: self.wecom)
    @rule(change_code=st.sampled_from([5, 10]), later=st.booleans())
    def say_something_in_wecom(self, change_code: int, later: bool) -> None:
        """Somebody urges, or comments: nothing comes of it."""
        assert self.wecom
        self.wecom.seconds += later
        self.wecom.note(change_code)

    @precondition(lambda self: self.flow == "wecom_oa" and not self.known_to_wecom)
    @rule()
    def refuse_the_submission(self) -> None:
        under_way = self.status == "submitting"
        with self.growth(int(under_way)):
            engine.submission_failed(instance=self.instance, code="301055", message="not in the app's scope")
        self.refused = self.refused or under_way
        self.expect()

    @precondition(lambda self: self.flow == "wecom_oa" and self.refused)
    @rule()
    def try_the_submission_again(self) -> None:
        taken_up = self.status == "failed" and self.newer is None
        with self.growth(int(taken_up)):
            engine.resume_submission(instance=self.instance)
        self.refused = self.refused and not taken_up
        self.expect()

    @precondition(lambda self: self.flow == "wecom_oa" and self.status != "failed")
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

    @precondition(lambda self: self.wecom and (self.flow != "wecom_oa" or self.known_to_wecom))
    @rule()
    def hear_a_number_that_nobody_knows(self) -> None:
        event_id = f"unknown-{len(self.past)}"
        with self.growth(1):
            word = self.addressed(says(None, code=99, sp_no="", at=None))
            assert engine.apply_remote(word, source="callback", event_id=event_id) == Outcome.UNKNOWN

    @precondition(lambda self: self.wecom)
    @rule(data=st.data())
    def hear_everything(self, data: st.DataObject) -> None:
        """Late, but all of it: nothing that comes after that changes anything any more."""
        assert self.wecom
        facts = range(len(self.wecom.facts))
        for fact in data.draw(st.permutations(facts), label="order"):
            self.hear_event(fact)
        self.compare("reconcile")
        self.nothing_moves(data.draw(st.permutations(facts), label="repeated in the order"))

    def nothing_moves(self, order: Sequence[int]) -> None:
        """All that was said, repeated in any order, leaves no trace."""
        state = ApprovalInstance.objects.values("status", "remote_status", "remote_pending", "conflict", "paid_at")
        steps = self.instance.steps.order_by("node", "position").values_list("userid", "status", "comment")
        before = state.get(pk=self.instance.pk), list(steps.all())
        with self.growth(0):
            for fact in order:
                self.hear_event(fact)
            self.compare("reconcile")
        assert (state.get(pk=self.instance.pk), list(steps.all())) == before

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
