"""Runs in the admin: live progress, history, and how the mirror has been doing."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action

from config.facts_admin import DayRangeFilter
from config.live_runs import LiveRunsAdmin
from projects import statistics
from projects.admin.charts import charts_of
from projects.models import ProjectSyncHistory, ProjectType

DAYS = 30
COUNTS = ("total_projects", "created_count", "updated_count", "unchanged_count", "failed_count", "removed_count")


@admin.register(ProjectSyncHistory)
class ProjectSyncHistoryAdmin(LiveRunsAdmin):
    when_empty = _("Runs appear here by schedule, or when somebody starts one at a remote source.")
    actions_list = ("statistics",)
    counts = COUNTS
    sync_right = "projects.sync_remotesource"
    list_display = (
        "created_at",
        "status_badge",
        "short_message",
        "source",
        "sync_type",
        "total_projects",
        "updated",
        "took",
    )
    list_select_related = ("source",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("sync_type", ChoicesDropdownFilter),
        ("source", RelatedDropdownFilter),
        ("created_at", DayRangeFilter),
    )
    fieldsets = (
        (None, {"fields": (("source", "sync_type"), ("started_by", "forced"), "types")}),
        (_("Times"), {"fields": (("created_at", "started_at"), ("finished_at", "took"), ("first_page", "pages_done"))}),
        (_("What came of it"), {"fields": ("message", "error_detail")}),
    )
    readonly_fields = ("types", "took", "forced")

    def get_deferred(self) -> Iterable[str]:
        return ("error_detail", "source__api_key")

    @admin.display(description=_("updated"), ordering="updated_count")
    def updated(self, run: ProjectSyncHistory) -> int:
        return run.updated_count

    def percent(self, run: ProjectSyncHistory) -> int | None:
        return run.percent

    def extent(self, run: ProjectSyncHistory) -> str:
        return gettext("%(count)d pages read") % {"count": run.pages_done}

    @admin.display(description=_("project types"))
    def types(self, run: ProjectSyncHistory) -> str:
        return gettext(", ").join(str(ProjectType(kind).label) for kind in run.project_types if kind in ProjectType)

    @action(description=_("Statistics"), url_path="statistics", icon="bar_chart")
    def statistics(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        days = statistics.per_day(DAYS)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Statistics of synchronisation"),
            "subtitle": _("Last %(days)d days") % {"days": DAYS},
            "opts": self.opts,
            "media": self.media,
            "charts": charts_of(days),
            "days": [day for day in reversed(days) if day.runs or day.changes],
        }
        return TemplateResponse(request, "projects/statistics.html", context)
