"""django-celery-beat's schedules in the house's admin.

Its own admin classes are not reused: their actions ask for no permission, their form needs an inline script that the
Content-Security-Policy forbids, and they offer solar schedules, which nobody here needs.
"""

from __future__ import annotations

from typing import Any

from celery import current_app
from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_celery_beat import admin as beat_admin  # registers its own classes, which are then replaced
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)
from kombu.exceptions import OperationalError
from kombu.utils.json import loads
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from config.cron import in_words
from config.cron_words import describe

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule):
    admin.site.unregister(model)


def registered_tasks() -> list[tuple[str, str]]:
    """The tasks that a worker of this site knows."""
    current_app.loader.import_default_modules()
    names = sorted(name for name in current_app.tasks if not name.startswith("celery."))
    return [("", "---------"), *((name, name) for name in names)]


class PeriodicTaskForm(forms.ModelForm):
    task = forms.ChoiceField(label=_("Task"), choices=registered_tasks, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = PeriodicTask
        fields = (
            "name",
            "task",
            "enabled",
            "description",
            "interval",
            "crontab",
            "start_time",
            "one_off",
            "args",
            "kwargs",
        )
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def clean_args(self) -> str:
        return self._json("args", list)

    def clean_kwargs(self) -> str:
        return self._json("kwargs", dict)

    def _json(self, field: str, kind: type) -> str:
        text: str = self.cleaned_data[field]
        try:
            value = loads(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is not JSON: %s") % error) from error
        if not isinstance(value, kind):
            raise forms.ValidationError(
                _("A list in square brackets is needed.") if kind is list else _("An object in braces is needed.")
            )
        return text


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ModelAdmin):
    form = PeriodicTaskForm
    list_display = ("name", "timing", "enabled", "last_run_at")
    list_filter = ("enabled",)
    search_fields = ("name", "task")
    list_select_related = ("interval", "crontab")
    ordering = ("name",)
    actions = ("run_now", "enable", "disable")
    readonly_fields = ("timing", "last_run_at")
    fieldsets = (
        (None, {"fields": ("name", "task", "description", "enabled")}),
        (_("When"), {"fields": ("interval", "crontab", "timing", "start_time", "one_off", "last_run_at")}),
        (_("With what"), {"fields": ("args", "kwargs"), "classes": ("collapse",)}),
    )

    @admin.display(description=_("In words"))
    def timing(self, task: PeriodicTask) -> str:
        return in_words(task)

    @admin.action(description=_("Run now"), permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        sent = 0
        try:
            for task in queryset:
                current_app.send_task(task.task, args=loads(task.args), kwargs=loads(task.kwargs))
                sent += 1
        except OperationalError:
            self.message_user(request, _("Redis cannot be reached, so no worker can be told."), messages.ERROR)
        if sent:
            text = ngettext("%d task was handed to a worker.", "%d tasks were handed to a worker.", sent)
            self.message_user(request, text % sent, messages.SUCCESS)

    @admin.action(description=_("Switch on"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        self._switch(request, queryset, enabled=True)

    @admin.action(description=_("Switch off"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        self._switch(request, queryset, enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[PeriodicTask], *, enabled: bool) -> None:
        changed = [task for task in queryset if task.enabled != enabled]
        for task in changed:
            task.enabled = enabled
            task.save(update_fields=["enabled"])
            self.log_change(request, task, [{"changed": {"fields": ["enabled"]}}])
        PeriodicTasks.update_changed()  # beat would notice a narrow write only minutes later
        text = ngettext("%d schedule was changed.", "%d schedules were changed.", len(changed))
        self.message_user(request, text % len(changed), messages.SUCCESS)


class TimingAdmin(ModelAdmin):
    """Intervals and crontabs: shared by schedules, so one in use is not deleted from here."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.periodictask_set.exists():
            return False
        return super().has_delete_permission(request, obj)


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(TimingAdmin):
    pass


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(TimingAdmin):
    list_display = ("in_words", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")
    fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")

    @admin.display(description=_("In words"))
    def in_words(self, schedule: CrontabSchedule) -> str:
        return describe(schedule)


__all__ = ["CrontabScheduleAdmin", "IntervalScheduleAdmin", "PeriodicTaskAdmin", "beat_admin"]
