"""Status changes: what changed, and who was told."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from config.admin_links import link_to
from config.facts_admin import DayRangeFilter, FactsAdmin
from projects.admin.filters import ToldFilter
from projects.admin.words import STATUS_TONES
from projects.models import ProjectStatusChange
from projects.telling import ABOUT


@admin.register(ProjectStatusChange)
class ProjectStatusChangeAdmin(FactsAdmin):
    when_empty = _("When a project's status is another one than before, that is noted here, with who was told.")
    list_display = ("at", "remote_id", "title", "type", "old_badge", "new_badge", "told")
    list_filter = (
        ("new_status", ChoicesDropdownFilter),
        ("type", ChoicesDropdownFilter),
        ToldFilter,
        ("at", DayRangeFilter),
    )
    search_fields = ("remote_id", "title")
    search_help_text = _("Project ID or title")
    fields = (
        ("remote_id", "type"),
        "title",
        ("old_status", "new_status"),
        ("at", "told"),
        ("project_link", "run_link"),
    )
    readonly_fields = ("told", "project_link", "run_link")

    @display(description=_("old status"), ordering="old_status", label=STATUS_TONES)
    def old_badge(self, change: ProjectStatusChange) -> tuple[str, str]:
        return change.old_status, change.get_old_status_display()

    @display(description=_("new status"), ordering="new_status", label=STATUS_TONES)
    def new_badge(self, change: ProjectStatusChange) -> tuple[str, str]:
        return change.new_status, change.get_new_status_display()

    @admin.display(description=_("messages"), ordering="notices")
    def told(self, change: ProjectStatusChange) -> SafeString | Any:
        """How many, with the way to them."""
        if not change.notices:
            return _("nobody was told")
        url = f"{reverse('admin:notifications_notification_changelist')}?{urlencode({'about': f'{ABOUT}{change.pk}'})}"
        return format_html('<a class="text-link" href="{}">{}</a>', url, change.notices)

    @admin.display(description=_("project"))
    def project_link(self, change: ProjectStatusChange) -> SafeString | str:
        return link_to(change.project) or "–"

    @admin.display(description=_("run"))
    def run_link(self, change: ProjectStatusChange) -> SafeString | Any:
        return link_to(change.run) or _("refreshed alone, because somebody looked at it")
