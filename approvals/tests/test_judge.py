"""The judgement over our state, WeCom's state and what WeCom says now — every combination, without a database."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.judge import FIRST_WINS, WECOM_WINS, Verdict, agreed_after_all, judge
from approvals.models import InstanceStatus as S
from approvals.models import Outcome
from approvals.transitions import FROM_REMOTE, REMOTE

remote_states = st.sampled_from(sorted(FROM_REMOTE))
known_states = st.sampled_from(sorted(REMOTE))
decided = st.sampled_from([S.APPROVED, S.REJECTED, S.CANCELLED])
policies = st.sampled_from([FIRST_WINS, WECOM_WINS])


def follow(words: list[str], *, status: S = S.PENDING, decided_here: bool = False, policy: str = FIRST_WINS) -> Verdict:
    verdict = Verdict(Outcome.UNCHANGED, status, "pending")
    for word in words:
        verdict = judge(
            status=verdict.status, decided_here=decided_here, remote=verdict.remote, incoming=word, policy=policy
        )
    return verdict


@pytest.mark.parametrize(
    "life",
    [
        ["pending", "approved"],
        ["pending", "approved", "revoked"],
        ["pending", "approved", "paid"],
        ["pending", "approved", "paid", "deleted"],
        ["pending", "rejected", "deleted"],
        ["pending", "cancelled"],
    ],
)
def test_any_order_of_one_life_ends_in_the_same_state(life: list[str]) -> None:
    expected = follow(life)
    for order in permutations(life):
        assert (follow(list(order)).status, follow(list(order)).remote) == (expected.status, expected.remote)


@given(known_states, remote_states, decided, st.booleans(), policies)
def test_saying_it_twice_changes_nothing_more(
    remote: str, incoming: str, status: S, decided_here: bool, policy: str
) -> None:
    once = judge(status=status, decided_here=decided_here, remote=remote, incoming=incoming, policy=policy)
    again = judge(status=once.status, decided_here=decided_here, remote=once.remote, incoming=incoming, policy=policy)
    assert (again.status, again.remote) == (once.status, once.remote)
    assert again.outcome in (Outcome.UNCHANGED, Outcome.STALE)


@given(remote_states, decided)
def test_under_first_wins_our_decision_survives_every_contradiction(incoming: str, status: S) -> None:
    verdict = judge(status=status, decided_here=True, remote="pending", incoming=incoming, policy=FIRST_WINS)
    agreed_before = (incoming, status) == ("revoked", S.APPROVED)
    assert verdict.status == (S.REVOKED if agreed_before else status)
    assert verdict.conflict == (FROM_REMOTE[incoming] not in (status, S.PENDING) and not agreed_before)


@given(remote_states.filter(lambda word: word != "pending"), decided)
def test_under_wecom_wins_its_decision_is_taken_and_a_contradiction_is_still_a_conflict(
    incoming: str, status: S
) -> None:
    verdict = judge(status=status, decided_here=True, remote="pending", incoming=incoming, policy=WECOM_WINS)
    assert verdict.status == FROM_REMOTE[incoming]
    agreed_before = (incoming, status) == ("revoked", S.APPROVED)
    assert verdict.conflict == (FROM_REMOTE[incoming] != status and not agreed_before)


def test_a_revocation_after_both_sides_agreed_is_followed_not_disputed() -> None:
    verdict = follow(["approved", "revoked"], status=S.APPROVED, decided_here=True)
    assert verdict == Verdict(Outcome.APPLIED, S.REVOKED, "revoked")


def test_a_revocation_tells_that_wecom_had_approved_even_if_that_was_never_heard() -> None:
    verdict = follow(["revoked"], status=S.APPROVED, decided_here=True)
    assert verdict == Verdict(Outcome.APPLIED, S.REVOKED, "revoked")


@pytest.mark.parametrize("policy", [FIRST_WINS, WECOM_WINS])
def test_a_contradiction_is_brought_before_a_person_once(policy: str) -> None:
    """It was settled, ours stands; the form that was overruled is deleted."""
    verdict = judge(status=S.APPROVED, decided_here=True, remote="rejected", incoming="deleted", policy=policy)
    assert verdict == Verdict(Outcome.APPLIED, S.APPROVED, "deleted")


@pytest.mark.parametrize(
    ("ours", "remote", "late", "expected"),
    [
        (S.APPROVED, "deleted", "approved", True),
        (S.APPROVED, "deleted", "paid", True),
        (S.REJECTED, "deleted", "rejected", True),
        (S.APPROVED, "deleted", "rejected", False),
        (S.APPROVED, "rejected", "approved", False),
        (S.APPROVED, "deleted", "pending", False),
    ],
)
def test_a_late_word_may_show_that_both_had_agreed(ours: S, remote: str, late: str, expected: bool) -> None:
    assert agreed_after_all(ours=ours, remote=remote, late=late) is expected


def test_pending_after_approval_is_out_of_date() -> None:
    assert follow(["approved", "pending"]).outcome == Outcome.STALE


def test_a_refused_submission_that_arrived_after_all_is_pending_again() -> None:
    verdict = judge(status=S.FAILED, decided_here=False, remote="", incoming="pending", policy=FIRST_WINS)
    assert verdict == Verdict(Outcome.APPLIED, S.PENDING, "pending")
