"""An approval as these pages show it: texts, ready to be printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.timezone import now

from approvals import revisions
from approvals.chain_lines import NodeLines, chain_lines
from approvals.mobile import words
from approvals.models import ApprovalInstance, ApprovalStep, ApprovalTimeline, Outcome
from approvals.money import money, total_of
from approvals.reasons import reasons_of
from approvals.revisions import Change
from approvals.words import STATUS_TONES, moment, status_label

MOST_ENTRIES = 100
"""Newest timeline entries on a page; more than nearly any approval has."""
REASONS = frozenset({"remote_pending", "conflict", "failed"})
"""What a person with a phone can do something about, or has to know; the others are for the admin."""


@dataclass(frozen=True, slots=True)
class Event:
    sentence: str
    at: str
    place: str
    comment: str
    state: str
    """The state that it led to; empty where it led to none."""
    tone: str
    note: str


@dataclass(frozen=True, slots=True)
class Sight:
    """The variables of ``templates/mobile/approval.html``."""

    facts: list[tuple[str, str]]
    items: list[dict[str, str]]
    total: str
    total_change: str
    """How the total compares with the last submitted revision's."""
    changes: list[Change]
    chain: list[NodeLines]
    events: list[Event]
    reasons: list[str]
    submitted: str
    applicant: str
    message: str
    """What the applicant wrote when submitting."""


def see(instance: ApprovalInstance, steps: Sequence[ApprovalStep]) -> Sight:
    """``steps`` in the order of the chain; ``instance`` with quote, applicant and app."""
    content = instance.snapshot
    earlier = revisions.submitted_before(instance.quote_id, instance.revision)
    newest = instance.timeline.order_by("-id")[:MOST_ENTRIES]
    timeline = list(newest)[::-1]
    reasons = reasons_of(instance, steps=steps, operations=[], timeline=timeline, now=now())
    submission = next((entry for entry in timeline if entry.action == "submit"), None)
    return Sight(
        facts=_facts(content),
        items=[_item(item) for item in content["items"]],
        total=total_of(content),
        total_change=revisions.change_of_total(content, earlier),
        changes=revisions.changes(content, earlier),
        chain=chain_lines(instance, steps),
        events=[_event(entry) for entry in reversed(timeline) if entry.outcome in words.TOLD],
        reasons=[reason.sentence for reason in reasons if reason.code in REASONS],
        submitted=moment(instance.submitted_at),
        applicant=instance.applicant.get_full_name() or instance.applicant.get_username(),
        message=submission.comment if submission else "",
    )


def _facts(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = ("customer_name", "contact", "phone", "valid_until", "remark")
    values = {**content, "valid_until": revisions.day_of(content["valid_until"])}
    return [(revisions.field_label(name), values[name]) for name in names if values.get(name)]


def _item(item: Mapping[str, str]) -> dict[str, str]:
    return {**item, "unit_price": money(item["unit_price"]), "amount": money(item["amount"])}


def _event(entry: ApprovalTimeline) -> Event:
    led_on = entry.to_status != entry.from_status and entry.outcome == Outcome.APPLIED
    return Event(
        sentence=words.sentence_of(entry),
        at=moment(entry.at),
        place=words.place_of(entry),
        comment=entry.comment,
        state=status_label(entry.to_status) if led_on else "",
        tone=STATUS_TONES[entry.to_status],
        note=str(words.AGAINST_US) if entry.outcome == Outcome.CONFLICT else "",
    )
