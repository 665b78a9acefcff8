"""The form as it is in WeCom."""

from __future__ import annotations

from datetime import datetime

from approvals.tests.snapshots import after, says, step
from wecom.snapshots import RemoteApproval

APPROVERS = ("wang.boss", "zhao.vp")


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
