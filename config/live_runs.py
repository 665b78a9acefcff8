"""Pages of runs: facts, with a bar above that follows a run while it is under way."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config import heartbeat
from config.durations import duration_words
from config.facts_admin import FactsAdmin
from config.runs import OPEN, PENDING

PATIENCE = timedelta(seconds=5)
"""How long a run may wait before somebody is asked to look for its worker."""
RUN_TONES = {
    "pending": "info",
    "running": "info",
    "success": "success",
    "partial": "warning",
    "failed": "danger",
}


def missing_worker(since: datetime) -> str:
    """Why nothing happens with what should have begun at ``since``, if a worker is what is missing."""
    if timezone.now() - since < PATIENCE:
        return ""
    try:
        alive = heartbeat.is_alive("worker")
    except Exception:  # noqa: BLE001 - without Redis nobody knows, which is what the sentence says
        alive = False
    return "" if alive else gettext("No worker was heard of lately. It begins as soon as one runs.")


class LiveAdmin(FactsAdmin):
    """Pages of what takes its time, and tells how long by its ``duration``."""

    change_form_outer_before_template = "admin/progress.html"

    class Media:
        js = ("config/progress.js",)

    @abstractmethod
    def progress_of(self, run: Any) -> dict[str, Any]:
        """What the bar shows, in words of the reader; polled while ``open``. Keys as in ``LiveRunsAdmin``."""

    @admin.display(description=_("duration"))
    def took(self, run: Any) -> str:
        return duration_words(run.duration)

    # -- pages -------------------------------------------------------------------------------------------------------

    @property
    def _progress_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_progress"

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress_view)
        return [path("<int:pk>/progress", progress, name=self._progress_name), *super().get_urls()]

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = self.get_queryset(request).filter(pk=pk).first()
        if run is None:
            raise Http404
        return JsonResponse(self.progress_of(run))

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        progress_url = reverse(f"admin:{self._progress_name}", args=[obj.pk])
        return {"run": obj, "progress": self.progress_of(obj), "progress_url": progress_url}


class LiveRunsAdmin(LiveAdmin):
    """Runs with ``status``, ``message``, ``duration`` and the columns ``counts``."""

    counts: ClassVar[tuple[str, ...]] = ()
    """Columns that the bar shows below it."""
    sync_right: ClassVar[str] = ""
    """Whoever may start a run may watch it."""

    @abstractmethod
    def percent(self, run: Any) -> int | None:
        """How far an open run is; None while nobody knows."""

    @abstractmethod
    def extent(self, run: Any) -> str:
        """How much it has done, in words."""

    def due_since(self, run: Any) -> Any:
        """From when a worker should have taken it."""
        return run.created_at

    def progress_of(self, run: Any) -> dict[str, Any]:
        return {
            "open": run.status in OPEN,
            "tone": RUN_TONES[run.status],
            "status": run.get_status_display(),
            "percent": 100 if run.status == "success" else self.percent(run),
            "duration": duration_words(run.duration),
            "extent": self.extent(run),
            "message": run.message or self._hint(run),
            "counts": [
                {"name": str(self.opts.get_field(name).verbose_name), "value": getattr(run, name)}  # type: ignore[union-attr]
                for name in self.counts
            ],
        }

    def _hint(self, run: Any) -> str:
        return missing_worker(self.due_since(run)) if run.status == PENDING else ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_view_permission(request, obj)
        return allowed or request.user.has_perm(self.sync_right)

    # -- columns -----------------------------------------------------------------------------------------------------

    @display(description=_("status"), ordering="status", label=RUN_TONES)
    def status_badge(self, run: Any) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @admin.display(description=_("without the brake"), boolean=True)
    def forced(self, run: Any) -> bool:
        return bool(run.force)

    @admin.display(description=_("message"))
    def short_message(self, run: Any) -> str:
        return f"{run.message[:80]}…" if len(run.message) > 80 else run.message
