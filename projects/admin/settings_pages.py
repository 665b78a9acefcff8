"""What operators choose, as pages of one row each."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from config.admin_links import page_of
from projects import schedule
from projects.admin.settings_forms import SyncConfigForm, TimeDisplayForm
from projects.document import TIME_PARTS, format_time
from projects.models import ProjectSyncConfig, ProjectType, Role, TimeDisplayConfig
from projects.models.config import Singleton
from projects.settings_rules import CHANNELS
from projects.settings_saving import save_sync_config, save_time_display


class SingleRowAdmin(ModelAdmin):
    """No list, nothing to add or delete: the list's address leads to the one row, and saving stays there."""

    model: type[Singleton]
    seen_as: ClassVar[dict[str, str]] = {}
    """Field → the method that shows it to people who may only look."""

    class Media:
        css = {"all": ("config/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(page_of(self.model.load()))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(page_of(obj))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if self.has_change_permission(request, obj) else _renamed(fieldsets, self.seen_as)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if self.has_change_permission(request, obj) else (*fields, *self.seen_as.values())


def _renamed(fields: Any, names: dict[str, str]) -> Any:
    """Nested tuples of field names with other names in the place of some."""
    if isinstance(fields, str):
        return names.get(fields, fields)
    if isinstance(fields, dict):
        return {**fields, "fields": _renamed(fields["fields"], names)}
    return tuple(_renamed(field, names) for field in fields) if isinstance(fields, tuple | list) else fields


def _labels(choices: Any, chosen: list[str]) -> str:
    return gettext(", ").join(str(label) for value, label in choices if value in chosen) or "–"


@admin.register(ProjectSyncConfig)
class ProjectSyncConfigAdmin(SingleRowAdmin):
    form = SyncConfigForm
    fieldsets = (
        (
            _("When"),
            {"fields": ("auto_sync_enabled", ("sync_frequency", "cron_expression"), "in_words", "next_runs")},
        ),
        (_("What"), {"fields": ("sync_types", "cache_ttl")}),
        (_("Who is told"), {"fields": ("notify_on_change", "notify_channels", ("quiet_from", "quiet_until"))}),
        (_("Who sees what"), {"fields": ("phone_visible_to",)}),
    )
    readonly_fields = ("in_words", "next_runs")
    seen_as = {
        "auto_sync_enabled": "auto_sync_shown",
        "sync_types": "types_shown",
        "notify_channels": "channels_shown",
        "phone_visible_to": "roles_shown",
    }

    def save_model(self, request: HttpRequest, obj: ProjectSyncConfig, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in form.Meta.fields}
        save_sync_config(values, auto_sync_enabled=form.cleaned_data["auto_sync_enabled"])

    @admin.display(description=_("In words"))
    def in_words(self, _config: ProjectSyncConfig) -> str:
        return schedule.read().words or "–"

    @admin.display(description=_("Next five runs"))
    def next_runs(self, _config: ProjectSyncConfig) -> SafeString | str:
        runs = schedule.read().next_runs
        if not runs:
            return gettext("None: the schedule is switched off.")
        times = ((date_format(timezone.localtime(at), "DATETIME_FORMAT"),) for at in runs)
        return format_html('<div class="qb-runs-list">{}</div>', format_html_join("", "<div>{}</div>", times))

    @admin.display(description=_("Synchronise on schedule"), boolean=True)
    def auto_sync_shown(self, _config: ProjectSyncConfig) -> bool:
        return schedule.read().enabled

    @admin.display(description=_("Project types"))
    def types_shown(self, config: ProjectSyncConfig) -> str:
        return _labels(ProjectType.choices, config.sync_types)

    @admin.display(description=_("Channels"))
    def channels_shown(self, config: ProjectSyncConfig) -> str:
        return _labels(CHANNELS, config.notify_channels)

    @admin.display(description=_("Links that show phone numbers"))
    def roles_shown(self, config: ProjectSyncConfig) -> str:
        return _labels(Role.choices, config.phone_visible_to)


@admin.register(TimeDisplayConfig)
class TimeDisplayConfigAdmin(SingleRowAdmin):
    form = TimeDisplayForm
    fieldsets = (
        (None, {"fields": (("aftersales_time_format", "sales_time_format"), "parts", "timezone", "example")}),
        (None, {"fields": ("show_payment_time",)}),
    )
    readonly_fields = ("parts", "example")

    def save_model(self, request: HttpRequest, obj: TimeDisplayConfig, form: Any, change: bool) -> None:
        save_time_display({name: form.cleaned_data[name] for name in form.changed_data})

    @admin.display(description=_("parts of a format"))
    def parts(self, _display: TimeDisplayConfig) -> str:
        return " ".join(TIME_PARTS)

    @admin.display(description=_("now, as saved"))
    def example(self, display: TimeDisplayConfig) -> str:
        now = timezone.now()
        formats = (display.aftersales_time_format, display.sales_time_format)
        return " · ".join(format_time(now, pattern, display.timezone) for pattern in formats)
