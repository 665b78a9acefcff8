"""Runs of the directory in the admin: live progress, history, *synchronise*, *preview*, and the quota behind it all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from config.admin_links import page_of
from config.durations import duration_words
from config.facts_admin import DayRangeFilter
from config.live_runs import LiveRunsAdmin
from wecom.admin.quota import quota_context
from wecom.admin.run_verbs import GIVE_UP, RUN_NOW, SYNC
from wecom.configs import default_config, enabled_apps
from wecom.directory_sync import previews, progress, runs
from wecom.directory_sync.forecast import forecasts
from wecom.directory_sync.runs import APPLYING
from wecom.errors import WeComError
from wecom.models import DirectorySyncRun, DirectoryType, WeComConfig
from wecom.sync_request import start

COUNTS = ("fetched", "created", "updated", "unchanged", "deleted", "failed")


class AppForm(forms.Form):
    """Which app is asked."""

    config = forms.ModelChoiceField(
        enabled_apps(),
        label=_("WeCom app"),
        initial=default_config,
        empty_label=None,
        widget=UnfoldAdminSelectWidget(),
    )


class SynchroniseForm(AppForm):
    """Which app is asked for what."""

    sync_type = forms.ChoiceField(
        label=_("Type"),
        choices=DirectoryType.choices,
        initial=DirectoryType.FULL,
        widget=UnfoldAdminSelectWidget(),
    )
    force = forms.BooleanField(
        label=_("Force"),
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text=_("Write everything anew, and mark as gone what WeCom no longer lists, however many that are."),
    )


def calls_expected(config: WeComConfig) -> list[dict[str, Any]]:
    """For each type, what a run over it would take of WeCom's patience."""
    found = []
    for kind, expected in zip(DirectoryType, forecasts(config, DirectoryType.values), strict=True):
        text = ngettext("about %(count)d call", "about %(count)d calls", expected.calls) % {"count": expected.calls}
        found.append({"name": kind.label, "calls": text, "least": duration_words(expected.least)})
    return found


@admin.register(DirectorySyncRun)
class DirectorySyncRunAdmin(LiveRunsAdmin):
    counts = COUNTS
    sync_right = SYNC
    verbs = (RUN_NOW, GIVE_UP)
    actions_list = ("synchronise", "quota")
    list_display = (
        "created_at",
        "sync_type",
        "status_badge",
        "fetched",
        "created",
        "updated",
        "deleted",
        "failed",
        "took",
        "short_message",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("sync_type", ChoicesDropdownFilter),
        ("config", RelatedDropdownFilter),
        ("created_at", DayRangeFilter),
    )
    fieldsets = (
        (None, {"fields": (("config", "sync_type"), ("started_by", "automatic", "forced"))}),
        (
            _("Times"),
            {"fields": (("created_at", "started_at"), ("finished_at", "took"), ("retries", "not_before"))},
        ),
        (_("What came of it"), {"fields": (("calls_done", "calls_expected"), "message", "error_detail")}),
    )
    readonly_fields = ("took", "forced", "retries", "not_before")

    def get_deferred(self) -> Iterable[str]:
        return ("error_detail",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("config", "started_by")

    # -- progress ----------------------------------------------------------------------------------------------------

    def percent(self, run: DirectorySyncRun) -> int | None:
        return progress.percent(run)

    def extent(self, run: DirectorySyncRun) -> str:
        words = [gettext("%(count)d calls made") % {"count": run.calls_done}]
        if run.phase:
            words.append(phase_words(run.phase))
        left = progress.eta(run)
        if left:
            words.append(gettext("about %(time)s left") % {"time": duration_words(left)})
        return " · ".join(words)

    def due_since(self, run: DirectorySyncRun) -> Any:
        return run.not_before

    # -- pages -------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("synchronise/expected", view(self.expected_view), name="wecom_directorysyncrun_expected"),
            path("preview/<uuid:key>", view(self.preview_view), name="wecom_directorysyncrun_preview"),
            path("preview/<uuid:key>/progress", view(self.preview_progress), name="wecom_preview_progress"),
            *super().get_urls(),
        ]

    def has_synchronise_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(SYNC)

    @action(
        description=_("Synchronise"),
        url_path="synchronise",
        icon="sync",
        variant=ActionVariant.PRIMARY,
        permissions=["synchronise"],
    )
    def synchronise(self, request: HttpRequest) -> HttpResponse:
        if not self.has_synchronise_permission(request):
            raise PermissionDenied
        form = SynchroniseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            asked = form.cleaned_data
            return self._preview(request, asked) if "preview" in request.POST else self._start(request, asked)
        context = {
            **self._page(request, _("Synchronise"), gettext("Departments, members and customers of the company")),
            "form": form,
            "expected_url": reverse("admin:wecom_directorysyncrun_expected"),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "wecom/synchronise.html", context)

    def expected_view(self, request: HttpRequest) -> HttpResponse:
        """What a run would take, for the app that is chosen. Of its own, because WeCom may be asked for it."""
        if not self.has_synchronise_permission(request):
            raise PermissionDenied
        form = AppForm(request.GET)
        if not form.is_valid():
            raise Http404
        config = form.cleaned_data["config"]
        context = {"app": config, "expected": calls_expected(config)}
        return TemplateResponse(request, "wecom/expected.html", context)

    def _start(self, request: HttpRequest, asked: dict[str, Any]) -> HttpResponse:
        try:
            run = start(asked["config"], asked["sync_type"], force=asked["force"], user=request.user)
        except runs.AlreadyRunning as busy:
            messages.info(request, gettext("A run is at it already; this is its progress."))
            return HttpResponseRedirect(page_of(busy.run))
        self.log_addition(request, run, gettext("A synchronisation was started."))
        return HttpResponseRedirect(page_of(run))

    def _preview(self, request: HttpRequest, asked: dict[str, Any]) -> HttpResponse:
        try:
            key = previews.start(asked["config"], asked["sync_type"], force=asked["force"])
        except WeComError as error:  # Redis is away
            messages.error(request, str(error.sentence))
            return HttpResponseRedirect(request.path)
        return HttpResponseRedirect(reverse("admin:wecom_directorysyncrun_preview", args=[key]))

    def preview_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        preview = self._found(request, key)
        context = {
            **self._page(request, _("Preview"), str(DirectoryType(preview.sync_type).label)),
            "preview": preview,
            "progress": preview_progress(preview),
            "progress_url": reverse("admin:wecom_preview_progress", args=[key]),
            "parts": [(DirectoryType(part["kind"]).label, changes_of(part), part) for part in preview.parts],
            "back": reverse("admin:wecom_directorysyncrun_synchronise"),
        }
        return TemplateResponse(request, "wecom/preview.html", context)

    def preview_progress(self, request: HttpRequest, key: Any) -> JsonResponse:
        return JsonResponse(preview_progress(self._found(request, key)))

    def _found(self, request: HttpRequest, key: Any) -> previews.Preview:
        if not self.has_synchronise_permission(request):
            raise PermissionDenied
        try:
            preview = previews.find(str(key))
        except WeComError as error:  # Redis is away
            raise Http404(str(error.sentence)) from error
        if preview is None:
            raise Http404(gettext("This preview is no longer kept. Make a new one."))
        return preview

    def has_quota_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @action(description=_("Quota"), url_path="quota", icon="speed", permissions=["quota"])
    def quota(self, request: HttpRequest) -> HttpResponse:
        """How the apps stand with WeCom at this moment."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = self._page(request, _("Quota"), gettext("Calls to WeCom, counted over all processes"))
        context = {**page, **quota_context()}
        return TemplateResponse(request, "wecom/quota.html", context)

    def _page(self, request: HttpRequest, title: Any, subtitle: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": subtitle,
            "opts": self.opts,
            "media": self.media,
        }


def phase_words(phase: str) -> str:
    """What a run is at."""
    if phase == APPLYING:
        return gettext("writing")
    return str(DirectoryType(phase).label) if phase in DirectoryType else phase


def preview_progress(preview: previews.Preview) -> dict[str, Any]:
    """The same keys as a run's."""
    tones = {"success": "success", "failed": "danger"}
    words = {
        "pending": gettext("Waiting for a worker"),
        "running": gettext("Reading"),
        "success": gettext("Read; nothing was written"),
        "failed": gettext("Failed, nothing was changed"),
    }
    return {
        "open": preview.open,
        "tone": tones.get(preview.status, "info"),
        "status": words[preview.status],
        "percent": 100 if preview.status == "success" else preview.percent,
        "duration": duration_words(preview.duration),
        "extent": gettext("%(count)d calls made") % {"count": preview.calls_done},
        "message": preview.message,
        "counts": [
            {"name": str(DirectorySyncRun._meta.get_field(name).verbose_name), "value": value}  # type: ignore[union-attr]
            for name, value in preview.counts.items()
        ],
    }


def changes_of(part: dict[str, Any]) -> list[dict[str, Any]]:
    """What a preview found of one type: how many are new, changed, gone, and a few of their names."""
    words = {"created": gettext("new"), "updated": gettext("changed"), "deleted": gettext("gone")}
    return [
        {"word": word, "count": part[change], "names": names, "more": part[change] - len(names), "change": change}
        for change, word in words.items()
        if (names := part["examples"][change]) is not None
    ]
