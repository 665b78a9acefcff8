"""Where an approval stands here and in WeCom, and why the two differ (``approvals.reasons``).

Pure: rows in, sentences out, no query. The admin renders it; nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals import quotes
from approvals.models import ApprovalInstance, ApprovalStep, ApprovalTimeline, Flow, SyncOperation
from approvals.reasons import (
    DANGER,
    INFO,
    NO_DIFFERENCE,
    NOTHING_TO_COMPARE,
    WARNING,
    Reason,
    reasons_of,
    remote_label,
)
from approvals.undelivered import undelivered
from approvals.words import moment

SUCCESS = "success"
SEVERITY = (SUCCESS, INFO, WARNING, DANGER)
SAME_MOMENT = timedelta(seconds=5)
"""A proof and the timeline entry that it wrote carry the clock of one transaction."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the truth panel shows."""

    here: str
    """Label of our state."""
    there: str
    """Label of WeCom's state; empty where WeCom holds no form of its own."""
    agree: bool
    sign: str
    """What stands between the two: ``=``, ``≠``, or ``–`` where there is nothing to compare with."""
    tone: str
    verdict: str
    proof: str
    """When the state was last proved, and by what."""
    reasons: tuple[Reason, ...]
    seal_intact: bool
    """Whether the sealed content still has the fingerprint it was sealed with."""


def truth_of(
    instance: ApprovalInstance,
    *,
    steps: Sequence[ApprovalStep],
    operations: Sequence[SyncOperation],
    timeline: Sequence[ApprovalTimeline],
    now: datetime,
) -> Truth:
    """The truth about ``instance``; ``steps`` and ``timeline`` in their own order, ``operations`` oldest first."""
    reasons = reasons_of(instance, steps=steps, operations=operations, timeline=timeline, now=now)
    reasons += undelivered(instance, operations)
    agree = all(reason.code in NO_DIFFERENCE for reason in reasons)
    uncompared = any(reason.code in NOTHING_TO_COMPARE for reason in reasons)
    tone = max((reason.tone for reason in reasons), key=SEVERITY.index, default=SUCCESS)
    return Truth(
        here=str(instance.get_status_display()),
        there=remote_label(instance),
        agree=agree,
        sign="–" if uncompared else "=" if agree else "≠",
        tone=tone,
        verdict=_("It was withdrawn on its way to WeCom.") if uncompared else _verdict(instance, agree, tone),
        proof=_proof(instance, timeline),
        reasons=tuple(reasons),
        seal_intact=quotes.seal(instance.snapshot) == instance.seal,
    )


def _verdict(instance: ApprovalInstance, agree: bool, tone: str) -> str:
    if instance.flow == Flow.INTERNAL:
        return _("The decision is taken in this system; there is nothing to compare.")
    if agree:
        return _("This system and WeCom agree.")
    if tone == DANGER:
        return _("This system and WeCom differ, and a person has to look at it.")
    if tone == WARNING:
        return _("This system and WeCom differ until somebody acts.")
    return _("This system and WeCom differ for the moment.")


def _proof(instance: ApprovalInstance, timeline: Sequence[ApprovalTimeline]) -> str:
    if instance.flow == Flow.INTERNAL:
        return ""
    if instance.last_synced_at is None:
        return _("Never proved by WeCom.")
    near = [e for e in timeline if abs(e.recorded_at - instance.last_synced_at) < SAME_MOMENT]
    sources = [e.details.get("source") or ("answer" if e.details.get("sp_no") else "") for e in near]
    source = next((word for word in reversed(sources) if word), "")
    by = {
        "callback": _("by a callback from WeCom"),
        "reconcile": _("by a comparison with WeCom"),
        "manual": _("by “Sync now”"),
        "answer": _("by WeCom's answer to the submission"),
    }.get(source, _("by a comparison that found nothing new"))
    return _("Last proved at %(time)s %(by)s.") % {"time": moment(instance.last_synced_at), "by": by}
