"""Approvals and their timeline: facts, with the same verbs as on the quote."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from approvals.admin.conflicts import CloseConflictForm, conflict_context
from approvals.admin.panel import approval_context
from approvals.admin.verbs import APPROVAL_VERBS
from approvals.admin.words import (
    ATTENTION_TONES,
    OUTCOME_TONES,
    action_label,
    attention_label,
    what_wecom_said,
)
from approvals.models import ApprovalInstance, ApprovalTimeline, Channel
from approvals.reasons import remote_label
from approvals.visibility import visible_to
from approvals.words import REMOTE_TONES, STATUS_TONES, status_label
from config.facts_admin import DayRangeFilter, FactsAdmin
from config.verbs import Verb
from wecom.directory import name_of


def quote_link(instance: ApprovalInstance) -> SafeString:
    url = reverse("admin:approvals_quote_change", args=[instance.quote_id])
    return format_html('<a class="text-link" href="{}">{}</a>', url, instance.quote)


@admin.register(ApprovalInstance)
class ApprovalInstanceAdmin(FactsAdmin):
    verbs = APPROVAL_VERBS
    change_form_outer_before_template = "approvals/truth_panel.html"
    change_form_outer_after_template = "approvals/history.html"
    list_display = (
        "third_no",
        "sp_no",
        "customer",
        "flow",
        "status_badge",
        "remote_badge",
        "attention",
        "applicant_name",
        "submitted_at",
    )
    list_select_related = ("quote", "applicant")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("flow", ChoicesDropdownFilter),
        "remote_pending",
        "conflict",
        ("submitted_at", DayRangeFilter),
    )
    search_fields = ("third_no", "sp_no", "quote__quote_number", "quote__customer_name")
    search_help_text = _("Our number, WeCom number or customer")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("quote_number", "revision"),
                    ("third_no", "sp_no"),
                    ("flow", "config"),
                    ("template", "rule"),
                    ("applicant", "applicant_in_wecom"),
                )
            },
        ),
        (
            _("Dates"),
            {
                "fields": (
                    ("submitted_at", "decided_at"),
                    ("decided_channel", "paid_at"),
                    ("last_synced_at", "remote_changed_at"),
                    ("last_reminded_at", "seal"),
                )
            },
        ),
    )
    readonly_fields = ("quote_number", "applicant_in_wecom")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalInstance]:
        rows = super().get_queryset(request).select_related("quote__owner", "applicant")
        return visible_to(request.user, rows.defer("snapshot"))  # read where it is shown: on the page of one

    @admin.display(description=_("quote"))
    def quote_number(self, instance: ApprovalInstance) -> SafeString:
        return quote_link(instance)

    @admin.display(description=_("applicant"), ordering="applicant__username")
    def applicant_name(self, instance: ApprovalInstance) -> str:
        return instance.applicant.get_full_name() or instance.applicant.get_username()

    @admin.display(description=_("applicant in WeCom"))
    def applicant_in_wecom(self, instance: ApprovalInstance) -> str:
        userid = instance.applicant_userid
        name = name_of(userid, config_id=instance.config_id)
        return name if name == userid else f"{name} ({userid})"

    @admin.display(description=_("customer"), ordering="quote__customer_name")
    def customer(self, instance: ApprovalInstance) -> str:
        return instance.quote.customer_name

    @display(description=_("status"), ordering="status", label=STATUS_TONES)
    def status_badge(self, instance: ApprovalInstance) -> tuple[str, str]:
        return instance.status, instance.get_status_display()

    @display(description=_("in WeCom"), ordering="remote_status", label=REMOTE_TONES)
    def remote_badge(self, instance: ApprovalInstance) -> tuple[str, str]:
        return instance.remote_status, remote_label(instance)

    @display(description=_("attention"), label=ATTENTION_TONES)
    def attention(self, instance: ApprovalInstance) -> tuple[str, str] | str:
        return attention_label(conflict=instance.conflict, remote_pending=instance.remote_pending)

    def page_context(self, request: HttpRequest, obj: ApprovalInstance) -> dict[str, Any]:
        return approval_context(request, obj)

    def verb_context(self, request: HttpRequest, verb: Verb, obj: ApprovalInstance) -> dict[str, Any]:
        if verb.form is CloseConflictForm:
            return conflict_context(obj) if obj.conflict else {}
        context = approval_context(request, obj)
        return {
            "evidence_template": "approvals/evidence.html",
            "quote": obj.quote,
            "content": obj.snapshot,
            "changes": context["changes"],
            "reasons": context["panel"]["truth"].reasons,
        }


@admin.register(ApprovalTimeline)
class ApprovalTimelineAdmin(FactsAdmin):
    list_display = ("at", "approval", "action_word", "outcome_badge", "channel", "who", "moved_from", "moved_to")
    list_select_related = ("instance",)
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        ("channel", ChoicesDropdownFilter),
        ("recorded_at", DayRangeFilter),
    )
    search_fields = ("instance__third_no", "instance__sp_no", "actor")
    ordering = ("-id",)
    fields = (
        ("approval", "at"),
        ("channel", "who"),
        ("action_word", "outcome"),
        ("moved_from", "moved_to"),
        "comment",
        "said",
        ("event_id", "recorded_at"),
    )
    readonly_fields = ("approval", "action_word", "said", "who", "moved_from", "moved_to")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalTimeline]:
        seen = visible_to(request.user, ApprovalInstance.objects.all())
        rows = super().get_queryset(request).select_related("instance").defer("instance__snapshot")
        return rows.filter(instance__in=seen)

    @admin.display(description=_("approval"), ordering="instance")
    def approval(self, entry: ApprovalTimeline) -> SafeString:
        url = reverse("admin:approvals_approvalinstance_change", args=[entry.instance_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, entry.instance)

    @admin.display(description=_("action"), ordering="action")
    def action_word(self, entry: ApprovalTimeline) -> str:
        return action_label(entry.action)

    @display(description=_("outcome"), ordering="outcome", label=OUTCOME_TONES)
    def outcome_badge(self, entry: ApprovalTimeline) -> tuple[str, str]:
        return entry.outcome, entry.get_outcome_display()

    @admin.display(description=_("actor"), ordering="actor")
    def who(self, entry: ApprovalTimeline) -> str:
        return "" if entry.channel == Channel.SYSTEM else entry.actor

    @admin.display(description=_("from status"), ordering="from_status")
    def moved_from(self, entry: ApprovalTimeline) -> str:
        return status_label(entry.from_status) if entry.from_status else ""

    @admin.display(description=_("to status"), ordering="to_status")
    def moved_to(self, entry: ApprovalTimeline) -> str:
        return status_label(entry.to_status) if entry.to_status else ""

    @admin.display(description=_("what WeCom said"))
    def said(self, entry: ApprovalTimeline) -> str:
        return what_wecom_said(entry)
