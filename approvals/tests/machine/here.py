"""What people do here."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from approvals import engine
from approvals.cards.clicks import take_in
from approvals.cards.faces import AGREE
from approvals.escalation import escalate
from approvals.exceptions import EngineError
from approvals.models import Channel
from approvals.overdue import CLOCK
from approvals.tests.machine.form import APPROVERS
from approvals.tests.machine.model import MOST_OPERATIONS, Model
from approvals.tests.snapshots import after
from approvals.transitions import SUBMITTABLE
from wecom.card_events import CardClick
from wecom.models import CallbackEvent

DEPUTY = "qian.d"


class Here(Model):
    """In admin, by REST, on cards and on the phone."""

    def channels(self) -> list[str]:
        return ["internal", "api", "wecom"] if self.flow == "internal" else ["internal", "api"]

    @rule(userid=st.sampled_from([*APPROVERS, DEPUTY, "li.mei"]), data=st.data())
    def approve(self, userid: str, data: st.DataObject) -> None:
        self.agree(userid, data.draw(st.sampled_from(self.channels() if userid != "li.mei" else [Channel.API])))

    def agree(self, userid: str, channel: str = Channel.API) -> None:
        places = self.open_places(userid)
        self.act(bool(places), engine.approve, actor=self.actor(userid, channel))
        self.note_agreement(places)
        self.expect()

    @precondition(lambda self: self.flow == "internal")
    @rule(userid=st.sampled_from([*APPROVERS, DEPUTY]), card=st.sampled_from(APPROVERS))
    def press(self, userid: str, card: str) -> None:
        """The button of a card, which acts for its own recipient only; without effect it is written down all the
        same."""
        places = self.open_places(userid) if userid == card else set()
        self.presses.append((userid, card))
        with self.growth(1, operations=MOST_OPERATIONS):
            self.deliver_press(len(self.presses) - 1)
        entry = self.past[-1]
        assert (entry["action"], entry["outcome"]) == (("approve", "applied") if places else ("press", "refused"))
        assert (entry["channel"], entry["actor"].lower()) == ("wecom", self.actor(userid).label.lower())
        self.note_agreement(places)
        self.expect()

    @precondition(lambda self: self.presses)
    @rule(data=st.data())
    def press_is_delivered_again(self, data: st.DataObject) -> None:
        with self.growth(0):
            self.deliver_press(data.draw(st.integers(0, len(self.presses) - 1), label="press"))

    def deliver_press(self, number: int) -> None:
        userid, card = self.presses[number]
        click = CardClick(
            userid=userid,
            task_id=card,
            key=AGREE,
            response_code=f"code-{number}",
            card_type="button_interaction",
            config_id=self.instance.config_id or 0,
            at=after(0),
            selected={},
        )
        take_in(click, CallbackEvent(key=f"press-{number}"))

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
    def escalate(self) -> None:
        waiting = self.waiting_places()
        if self.escalated and self.status == "pending":
            with self.growth(0):
                assert not escalate(instance=self.instance, to=DEPUTY, actor=CLOCK)
            return
        self.act(self.status == "pending", escalate, actor=CLOCK, to=DEPUTY)
        if self.status == "pending":
            self.escalated = True
            self.deputies |= {} if waiting & self.deputies.keys() else dict.fromkeys(waiting, DEPUTY)

    @rule()
    def remind(self) -> None:
        recently = any((entry["action"], entry["channel"]) == ("remind", "internal") for entry in self.past)
        self.act(self.status == "pending" and not recently, engine.remind, actor=self.actor("li.mei"))

    @rule(keep=st.sampled_from(["ours", "wecom"]), userid=st.sampled_from(["chen.it", "wang.boss"]))
    def close_conflict(self, keep: str, userid: str) -> None:
        allowed = self.conflict and userid == "chen.it"
        self.act(allowed, engine.close_conflict, actor=self.actor(userid), keep=keep, reason="spoken")
        if allowed:
            self.settled = keep
        self.expect()

    @precondition(lambda self: self.newer is None)
    @rule()
    def submit_again(self) -> None:
        """From then on the quote follows the newer submission, whatever is still heard of this one."""
        quote, li = self.instance.quote, self.actor("li.mei")
        again = partial(engine.submit, quote=quote, actor=li, flow="internal", approvers=["wang.boss"])
        with self.growth(0, operations=1):
            if self.status in SUBMITTABLE:
                self.newer = again()
                return
            with pytest.raises(EngineError):
                again()
