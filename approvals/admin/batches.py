"""Batches in the admin: followed while they run, and reported at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from approvals import batches
from approvals.batches import Tally, batches_of, tally
from approvals.models import Batch, BatchItem, BatchOutcome
from config.admin_links import link_to
from config.durable import Status
from config.durations import duration_words
from config.facts_admin import DayRangeFilter, QueueAdmin, retry_verb
from config.live_runs import LiveAdmin, missing_worker
from config.tones import Tones

LISTED = 50
"""Refused and failed items on a batch's page; the rest stands in the list of items."""
OUTCOME_TONES = Tones(done="success", unchanged="default", refused="warning", failed="danger", open="info")
ASKING = tuple(dict.fromkeys(right for rights in batches.RIGHTS.values() for right in rights))


class _SeenByTheirOwn:
    """Whoever may ask may look: at their own, and overseers at all."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_view_permission(request, obj)  # type: ignore[misc]
        return allowed or any(map(request.user.has_perm, ASKING))


@admin.register(Batch)
class BatchAdmin(_SeenByTheirOwn, LiveAdmin):
    change_form_outer_after_template = "approvals/batch_report.html"
    list_display = ("created_at", "verb", "state", "total", "actor", "channel", "took")
    list_filter = (("verb", ChoicesDropdownFilter), ("channel", ChoicesDropdownFilter), ("created_at", DayRangeFilter))
    list_select_related = ("actor",)
    fieldsets = (
        (None, {"fields": (("verb", "total"), ("actor", "channel"), ("created_at", "finished_at"), "comment")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return super().get_queryset(request).filter(pk__in=batches_of(request.user)).select_related("actor")

    @display(description=_("status"), ordering="finished_at", label={"finished": "success", "running": "info"})
    def state(self, batch: Batch) -> tuple[str, str]:
        return ("finished", gettext("Finished")) if batch.finished_at else ("running", gettext("Under way"))

    def progress_of(self, run: Batch) -> dict[str, Any]:
        found = tally(run)
        trouble = found.refused + found.failed
        return {
            "open": run.finished_at is None,
            "tone": "info" if run.finished_at is None else "warning" if trouble else "success",
            "status": self.state(run)[1],
            "percent": 100 * found.closed // run.total,
            "duration": duration_words(run.duration),
            "extent": gettext("%(closed)d of %(total)d approvals") % {"closed": found.closed, "total": run.total},
            "message": _waits_for(run, found),
            "counts": [{"name": name, "value": value} for name, value in _counts(found)],
        }

    def page_context(self, request: HttpRequest, obj: Batch) -> dict[str, Any]:
        return super().page_context(request, obj) | {"report": _report(obj)}


def _counts(found: Tally) -> list[tuple[str, int]]:
    return [
        (str(BatchOutcome.DONE.label), found.done),
        (str(BatchOutcome.UNCHANGED.label), found.unchanged),
        (str(BatchOutcome.REFUSED.label), found.refused),
        (gettext("Failed"), found.failed),
        (gettext("Open"), found.open),
    ]


def _waits_for(batch: Batch, found: Tally) -> str:
    """Why it does not go on, if it does not."""
    if found.waiting:
        text = ngettext(
            "%(count)d is tried again by itself: %(why)s",
            "%(count)d are tried again by themselves: %(why)s",
            found.waiting,
        )
        latest = batch.items.filter(status=Status.FAILED).latest("updated_at")
        return text % {"count": found.waiting, "why": latest.why}
    return missing_worker(batch.created_at) if found.open and not found.closed else ""


def _report(batch: Batch) -> dict[str, Any]:
    """What needs somebody's eye: the refused and the failed, with reasons and links."""
    troubled = batch.items.exclude(outcome__in=(BatchOutcome.DONE, BatchOutcome.UNCHANGED))
    troubled = troubled.filter(status__in=(Status.SUCCEEDED, Status.DEAD)).order_by("pk")
    shown = list(troubled.select_related("instance__quote").defer("instance__snapshot")[: LISTED + 1])
    changelist = reverse("admin:approvals_batchitem_changelist")
    return {
        "lines": [
            {
                "approval": link_to(item.instance),
                "customer": item.instance.quote.customer_name,
                "why": item.why,
                **_badge(item),
            }
            for item in shown[:LISTED]
        ],
        "more": len(shown) > LISTED,
        "all_url": f"{changelist}?batch__id__exact={batch.pk}",
    }


def _badge(item: BatchItem) -> dict[str, str]:
    key, word = _outcome(item)
    return {"tone": OUTCOME_TONES[key], "word": word}


def _outcome(item: BatchItem) -> tuple[str, str]:
    """Key (of OUTCOME_TONES) and word."""
    unfinished = {"failed": gettext("Failed"), "open": gettext("Open")}
    return item.result, unfinished.get(item.result) or item.get_outcome_display()


RETRY = replace(
    retry_verb("approvals.change_syncoperation", batches.retry),
    permissions=("approvals.change_syncoperation", *ASKING),
)


@admin.register(BatchItem)
class BatchItemAdmin(_SeenByTheirOwn, QueueAdmin):
    verbs = (RETRY,)
    list_display = ("approval", "result", "why", "batch_link", "status_badge", "attempts", "updated_at")
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("created_at", DayRangeFilter),
    )
    search_fields = ("instance__third_no", "instance__sp_no")
    search_help_text = _("Our number or WeCom number")
    fieldsets = (
        (None, {"fields": (("approval", "batch_link"), ("outcome", "status"), "why")}),
        (_("Attempts"), {"fields": (("attempts", "next_attempt_at"), ("created_at", "updated_at", "finished_at"))}),
    )
    readonly_fields = ("approval", "batch_link", "why")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchItem]:
        rows = super().get_queryset(request).filter(batch__in=batches_of(request.user))
        return rows.select_related("batch", "instance").defer("instance__snapshot")

    def get_deferred(self) -> tuple[str, ...]:
        return ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "batch__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("approval"), ordering="instance")
    def approval(self, item: BatchItem) -> SafeString | str:
        return link_to(item.instance)

    @admin.display(description=_("batch"), ordering="batch")
    def batch_link(self, item: BatchItem) -> SafeString | str:
        return link_to(item.batch)

    @display(description=_("outcome"), ordering="outcome", label=OUTCOME_TONES)
    def result(self, item: BatchItem) -> tuple[str, str]:
        return _outcome(item)

    @admin.display(description=_("reason"))
    def why(self, item: BatchItem) -> SafeString:
        return format_html("{}", item.why)
