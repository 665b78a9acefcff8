"""What callbacks have spoken of and has to be read from WeCom, in the admin."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from config.facts_admin import DayRangeFilter, QueueAdmin, retry_verb
from wecom.models import ContactRefresh


@admin.register(ContactRefresh)
class ContactRefreshAdmin(QueueAdmin):
    verbs = (retry_verb("wecom.change_contactrefresh"),)
    ordering = ("-updated_at", "-id")
    list_display = ("subject", "kind", "config", "status_badge", "attempts", "updated_at", "short_error")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("config", RelatedDropdownFilter),
        ("updated_at", DayRangeFilter),
    )
    list_select_related = ("config",)
    search_fields = ("subject", "key")
    fields = (
        ("kind", "subject"),
        ("config", "status"),
        ("attempts", "next_attempt_at"),
        ("created_at", "updated_at", "finished_at"),
        "last_error",
    )

    def get_deferred(self) -> Iterable[str]:
        return ()
