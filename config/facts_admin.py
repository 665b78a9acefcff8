"""Base classes for pages of facts: rows that only the machine writes, which people read, filter and retry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from config.admin_verbs import VerbsMixin
from config.durable import DurableRow, Status
from config.page_context import PageContext
from config.verbs import Refused, Verb

STATUS_TONES = {
    Status.PENDING.value: "info",
    Status.RUNNING.value: "info",
    Status.SUCCEEDED.value: "success",
    Status.FAILED.value: "warning",
    Status.DEAD.value: "danger",
}


class DayRangeFilter(RangeDateFilter):
    """From day to day, both included, in the site's time zone. (Unfold's own compares a day with a moment.)"""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("_from"), self._day("_to")
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": last + timedelta(days=1)})
        return queryset

    def _day(self, end: str) -> datetime | None:
        given = str(self.used_parameters.get(f"{self.parameter_name}{end}") or "")
        try:
            day = parse_date(given.replace("/", "-"))
        except ValueError:
            day = None
        return timezone.make_aware(datetime.combine(day, time.min)) if day else None


class HiddenColumns(ModelAdmin):
    """Columns that not everybody who may open the list may see."""

    def get_hidden(self, request: HttpRequest) -> Collection[str]:
        """Columns whose content this person may not see."""
        return ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A list's address may filter by any column, and what it finds tells the content, digit by digit if need be."""
        return lookup.partition("__")[0] not in self.get_hidden(request) and super().lookup_allowed(
            lookup, value, request
        )


class FactsAdmin(VerbsMixin, PageContext, HiddenColumns):
    """Read-only for everybody, superusers too: history is not edited."""

    show_full_result_count = False
    list_filter_submit = True
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_deferred(self) -> Iterable[str]:
        """Heavy columns that a list does not show."""
        return ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        on_list = request.resolver_match is not None and request.resolver_match.url_name == self._changelist_name
        return rows.defer(*self.get_deferred()) if on_list else rows

    @property
    def _changelist_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_changelist"


def retry_verb(permission: str, retry: Callable[[Any], Any] = lambda rows: rows.retry()) -> Verb:
    """*Retry*: make a failed or dead row due now, for people with ``permission``. ``retry`` is given the row as a
    queryset, for queues whose rows must forget more than the base does."""

    def run(_request: HttpRequest, row: DurableRow, _data: dict[str, Any]) -> None:
        if row.status not in (Status.FAILED, Status.DEAD):
            raise Refused(_("Only what failed or is dead can be retried."))
        retry(type(row).objects.filter(pk=row.pk, status=row.status))

    return Verb(
        name="retry",
        label=_("Retry"),
        question=_("Try again now?"),
        done=_("will be tried again now."),
        run=run,
        fits=lambda _request, row: row.status in (Status.FAILED, Status.DEAD),
        permissions=(permission,),
        icon="replay",
        asks_in_lists=False,
    )


class QueueAdmin(FactsAdmin):
    """A queue of durable rows."""

    ordering = ("-created_at", "-id")

    @display(description=_("status"), ordering="status", label=STATUS_TONES)
    def status_badge(self, row: DurableRow) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @admin.display(description=_("last error"))
    def short_error(self, row: DurableRow) -> str:
        return f"{row.last_error[:100]}…" if len(row.last_error) > 100 else row.last_error

    def get_deferred(self) -> Iterable[str]:
        return ("payload",)
