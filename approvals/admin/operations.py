"""The way out to WeCom: what is being done there, what failed and why."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from approvals.models import SyncOperation
from approvals.reasons import error_of
from config.facts_admin import DayRangeFilter, QueueAdmin, retry_verb


@admin.register(SyncOperation)
class SyncOperationAdmin(QueueAdmin):
    verbs = (retry_verb("approvals.change_syncoperation"),)
    list_display = ("key", "kind", "approval", "status_badge", "attempts", "next_attempt_at", "short_error")
    list_select_related = ("instance",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("created_at", DayRangeFilter),
    )
    search_fields = ("key", "instance__third_no", "instance__sp_no")
    fieldsets = (
        (None, {"fields": (("approval", "kind"), "key", ("created_at", "finished_at"))}),
        (
            _("Processing"),
            {"fields": (("status", "attempts"), ("next_attempt_at", "error_code"), "meaning", "last_error")},
        ),
        (None, {"fields": ("pretty_payload",)}),
    )
    readonly_fields = ("approval", "meaning", "pretty_payload")

    def get_deferred(self) -> Iterable[str]:
        return (*super().get_deferred(), "instance__snapshot")

    @admin.display(description=_("approval"), ordering="instance")
    def approval(self, operation: SyncOperation) -> SafeString:
        url = reverse("admin:approvals_approvalinstance_change", args=[operation.instance_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, operation.instance)

    @admin.display(description=_("what it means"))
    def meaning(self, operation: SyncOperation) -> str:
        return " ".join(filter(None, error_of(operation)))

    @admin.display(description=_("payload"))
    def pretty_payload(self, operation: SyncOperation) -> SafeString:
        text = json.dumps(operation.payload, ensure_ascii=False, indent=2)
        return format_html('<pre class="qb-code">{}</pre>', text)
