"""Runs in the admin: live progress, history, and how the mirror has been doing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from config import heartbeat
from config.facts_admin import DayRangeFilter, FactsAdmin
from projects import statistics
from projects.admin.charts import charts_of
from projects.admin.words import RUN_TONES
from projects.durations import duration_words
from projects.models import ProjectSyncHistory, ProjectType, RunStatus
from projects.models.sync import OPEN

PATIENCE = timedelta(seconds=5)
"""How long a run may wait before somebody is asked to look for its worker."""
DAYS = 30
COUNTS = ("total_projects", "created_count", "updated_count", "unchanged_count", "failed_count", "removed_count")


def progress_of(run: ProjectSyncHistory) -> dict[str, Any]:
    """What the progress bar shows, in words of the reader; polled while ``open``. ``percent``: null while unknown."""
    return {
        "open": run.status in OPEN,
        "tone": RUN_TONES[run.status],
        "status": run.get_status_display(),
        "percent": 100 if run.status == RunStatus.SUCCESS else run.percent,
        "duration": duration_words(run.duration),
        "pages": _g("%(count)d pages read") % {"count": run.pages_done},
        "message": run.message or _hint(run),
        "counts": [
            {"name": str(run._meta.get_field(name).verbose_name), "value": getattr(run, name)}  # type: ignore[union-attr]
            for name in COUNTS
        ],
    }


def _hint(run: ProjectSyncHistory) -> str:
    """Why nothing happens, if nothing does."""
    if run.status != RunStatus.PENDING or timezone.now() - run.created_at < PATIENCE:
        return ""
    try:
        alive = heartbeat.is_alive("worker")
    except Exception:  # noqa: BLE001 - without Redis nobody knows, which is what the sentence says
        alive = False
    return "" if alive else _g("No worker was heard of lately. It begins as soon as one runs.")


@admin.register(ProjectSyncHistory)
class ProjectSyncHistoryAdmin(FactsAdmin):
    actions_list = ("statistics",)
    change_form_outer_before_template = "projects/progress.html"
    list_display = (
        "created_at",
        "source",
        "status_badge",
        "sync_type",
        "total_projects",
        "updated_count",
        "removed_count",
        "failed_count",
        "took",
        "short_message",
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

    class Media:
        js = ("projects/progress.js",)

    def get_deferred(self) -> Iterable[str]:
        return ("error_detail", "source__api_key")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may start a run may watch it."""
        allowed: bool = super().has_view_permission(request, obj)
        return allowed or request.user.has_perm("projects.sync_remotesource")

    # -- columns and fields ------------------------------------------------------------------------------------------

    @display(description=_("status"), ordering="status", label=RUN_TONES)
    def status_badge(self, run: ProjectSyncHistory) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @admin.display(description=_("duration"))
    def took(self, run: ProjectSyncHistory) -> str:
        return duration_words(run.duration)

    @admin.display(description=_("without the brake"), boolean=True)
    def forced(self, run: ProjectSyncHistory) -> bool:
        return run.force

    @admin.display(description=_("message"))
    def short_message(self, run: ProjectSyncHistory) -> str:
        return f"{run.message[:80]}…" if len(run.message) > 80 else run.message

    @admin.display(description=_("project types"))
    def types(self, run: ProjectSyncHistory) -> str:
        return _g(", ").join(str(ProjectType(kind).label) for kind in run.project_types if kind in ProjectType)

    # -- pages -------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress_view)
        return [path("<int:pk>/progress", progress, name="projects_run_progress"), *super().get_urls()]

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = ProjectSyncHistory.objects.select_related("source").filter(pk=pk).first()
        if run is None:
            raise Http404
        return JsonResponse(progress_of(run))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        run = self.get_object(request, object_id) if object_id else None
        if run is not None:
            context |= {
                "run": run,
                "progress": progress_of(run),
                "progress_url": reverse("admin:projects_run_progress", args=[run.pk]),
            }
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

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
