"""Which cards an approval should have now, and at which stage each of them is. Pure: nothing is read or written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from approvals.cards.faces import Stage
from approvals.cards.facts import Facts
from approvals.models import ApprovalCard, CardCode, CardState, Relation
from approvals.steps import belongs_to

ENDING = timedelta(hours=2)
"""How long before the end of its last code a card with buttons turns into one that leads to the system."""


class Group(NamedTuple):
    """Recipients of one message, who all see the same."""

    node: int
    userids: list[str]


def missing(facts: Facts, cards: Iterable[ApprovalCard]) -> list[Group]:
    """Whom a card is to be sent to because it is their turn and they have none for it.

    Where any one of several is enough they share a message, so that one change reaches all. Otherwise everybody has
    their own, because each may have a state of their own; and so have those who decide in somebody's place.
    """
    known = {(card.node, userid.casefold()) for card in cards for userid in card.userids}
    turn = facts.open_steps
    if not turn:
        return []
    approvers = [step.userid for step in turn if _needs_card(facts, step.node, step.userid, known)]
    delegates = [step.delegated_to for step in turn if _needs_card(facts, step.node, step.delegated_to, known)]
    node = turn[0].node
    if turn[0].relation == Relation.ANY and len(approvers) > 1:
        return [Group(node, approvers), *(Group(node, [userid]) for userid in dict.fromkeys(delegates))]
    return [Group(node, [userid]) for userid in dict.fromkeys([*approvers, *delegates])]


def _needs_card(facts: Facts, node: int, userid: str, known: set[tuple[int, str]]) -> bool:
    folded = userid.casefold()
    return bool(userid) and folded not in facts.barred and (node, folded) not in known


def stage_of(facts: Facts, card: ApprovalCard, codes: Iterable[CardCode], now: datetime) -> Stage:
    """What the card is to show. ``codes``: all that it ever had, spent ones too."""
    if facts.ended:
        return Stage.RESULT
    waits = any(belongs_to(step, userid) for step in facts.open_steps for userid in card.userids)
    if not waits or card.node != facts.open_steps[0].node:
        return Stage.PASSED
    ends = [code.until for code in codes if code.spent_at is None]
    if card.state == CardState.LINK or (card.state == CardState.LIVE and _is_ending(ends, card, now)):
        return Stage.LINK
    return Stage.WAITING


def _is_ending(ends: list[datetime], card: ApprovalCard, now: datetime) -> bool:
    """A card of which no code ever came back can neither be changed nor end in this sense."""
    return bool(ends) and max(ends) < now + ENDING
