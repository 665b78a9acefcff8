"""What a word from WeCom means for us: a pure function over three states, so that every order can be tried out."""

from __future__ import annotations

from dataclasses import dataclass

from approvals.models import InstanceStatus, Outcome
from approvals.transitions import FROM_REMOTE, REMOTE

FIRST_WINS = "first_wins"
WECOM_WINS = "wecom_wins"

STILL_OPEN = frozenset({InstanceStatus.SUBMITTING, InstanceStatus.PENDING, InstanceStatus.FAILED})
"""Nobody has decided here. ``failed`` is no decision either: WeCom may know better whether a submission arrived."""

BEFORE = {"revoked": InstanceStatus.APPROVED}
"""What WeCom must have said before, although we may not have heard it: revoked means revoked after approval (fact
sheet 4.7)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    status: InstanceStatus
    """Our state afterwards."""
    remote: str
    """WeCom's state afterwards, as far as we know it."""
    conflict: bool = False


def judge(*, status: InstanceStatus, decided_here: bool, remote: str, incoming: str, policy: str) -> Verdict:
    """Weigh ``incoming`` (WeCom's state in a snapshot) against ``remote`` (what we last knew of it) and ``status``.

    ``decided_here``: our state was decided in admin, by API or on a card, not by WeCom's own flow.
    ``policy``: ``first_wins`` keeps our decision in a conflict, ``wecom_wins`` takes WeCom's.
    """
    if incoming == remote:
        return Verdict(Outcome.UNCHANGED, status, remote)
    if incoming not in REMOTE[remote]:
        return Verdict(Outcome.STALE, status, remote)
    target = FROM_REMOTE[incoming]
    if target == status or status in STILL_OPEN:
        return Verdict(Outcome.APPLIED, target, incoming)
    agreed_before = status in (FROM_REMOTE.get(remote), BEFORE.get(incoming))
    followed = agreed_before or not decided_here
    contradicted = remote not in ("", "pending") and not followed
    # WeCom's flow is still running behind a decision taken here; or the contradiction is known, be it open or settled,
    # and what becomes of the form adds none
    if incoming == "pending" or contradicted:
        return Verdict(Outcome.APPLIED, status, incoming)
    if followed:
        return Verdict(Outcome.APPLIED, target, incoming)
    return Verdict(Outcome.CONFLICT, target if policy == WECOM_WINS else status, incoming, conflict=True)


def agreed_after_all(*, ours: InstanceStatus, remote: str, late: str) -> bool:
    """Whether a word that arrives ``late`` shows that there never was a conflict: WeCom had said the same as ``ours``
    before it moved on to ``remote``."""
    return late != "pending" and remote in REMOTE[late] and FROM_REMOTE[late] == ours
