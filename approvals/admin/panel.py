"""What the truth panel, the timeline and the comparison of revisions show. Reads; ``approvals.truth`` judges."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from approvals import quotes, revisions
from approvals.admin import words
from approvals.admin.cards import cards_of
from approvals.admin.verbs import latest_approval
from approvals.chain_lines import chain_lines
from approvals.models import ApprovalInstance, ApprovalTimeline, Quote
from approvals.revisions import Change
from approvals.sync_request import can_sync
from approvals.truth import truth_of
from approvals.words import REMOTE_TONES, STATUS_TONES, status_label
from wecom.models import CallbackEvent

MOST_ENTRIES = 200
"""Timeline entries on a page; more than any approval has, a bound on what a page can cost."""
MOST_EVENTS = 10


def panel_of(request: HttpRequest, instance: ApprovalInstance) -> dict[str, Any]:
    """Context of ``approvals/truth_panel.html``."""
    steps = list(instance.steps.all())
    operations = list(instance.operations.order_by("id"))
    timeline = _newest(ApprovalTimeline.objects.filter(instance=instance))
    truth = truth_of(instance, steps=steps, operations=operations, timeline=timeline[::-1], now=timezone.now())
    may = request.user.has_perm
    return {
        "approval": instance,
        "truth": truth,
        "here_tone": STATUS_TONES[instance.status],
        "there_tone": REMOTE_TONES[instance.remote_status],
        "nodes": chain_lines(instance, steps),
        "cards": cards_of(instance) if may("approvals.view_approvalcard") else [],
        "operations": operations if may("approvals.view_syncoperation") else [],
        "events": _events(instance) if may("wecom.view_callbackevent") else [],
        "can_sync": can_sync(instance) and may("approvals.sync_approval"),
        "close_url": reverse("admin:approvals_approvalinstance_close_conflict_page", args=[instance.pk])
        if instance.conflict and may("approvals.close_conflict")
        else "",
        "may_see_approval": may("approvals.view_approvalinstance"),
    }


def quote_context(request: HttpRequest, quote: Quote) -> dict[str, Any]:
    """Context of a quote's page: the truth about its newest approval, everything that happened, what changed."""
    instance = latest_approval(quote)
    if instance is None:
        return {"quote": quote}
    return {
        "quote": quote,
        "panel": panel_of(request, instance),
        "timeline": _lines(ApprovalTimeline.objects.filter(instance__quote=quote)),
        "changes": changes_of(quote),
        "sync_url": reverse("admin:approvals_quote_sync_page", args=[quote.pk]),
    }


def approval_context(request: HttpRequest, instance: ApprovalInstance) -> dict[str, Any]:
    """Context of an approval's page."""
    return {
        "panel": panel_of(request, instance),
        "timeline": _lines(ApprovalTimeline.objects.filter(instance=instance)),
        "changes": revisions.changes(
            instance.snapshot, revisions.submitted_before(instance.quote_id, instance.revision)
        ),
        "sync_url": reverse("admin:approvals_approvalinstance_sync_page", args=[instance.pk]),
    }


def changes_of(quote: Quote) -> list[Change]:
    """What the quote's content changed since the previous revision was sealed."""
    if quote.revision == 1:
        return []
    return revisions.changes(quotes.snapshot(quote), revisions.submitted_before(quote.pk, quote.revision))


def _newest(entries: QuerySet[ApprovalTimeline]) -> list[ApprovalTimeline]:
    return list(entries.order_by("-id")[:MOST_ENTRIES])


def _lines(entries: QuerySet[ApprovalTimeline]) -> list[dict[str, Any]]:
    """The newest of ``entries`` in words, each knowing its revision (and not the sealed content that goes with it)."""
    return [
        {
            "entry": entry,
            "action": words.action_label(entry.action),
            "tone": words.OUTCOME_TONES[entry.outcome],
            "from": status_label(entry.from_status) if entry.from_status else "",
            "to": status_label(entry.to_status) if entry.to_status else "",
            "moved": entry.from_status != entry.to_status,
            "said": words.what_wecom_said(entry),
        }
        for entry in _newest(entries.annotate(revision=F("instance__revision")))
    ]


def _events(instance: ApprovalInstance) -> list[CallbackEvent]:
    numbers = [number for number in (instance.third_no, instance.sp_no) if number]
    events = CallbackEvent.objects.filter(subject__in=numbers).defer("payload")
    return list(events.order_by("-id")[:MOST_EVENTS])
