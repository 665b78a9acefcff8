"""Incidents: what needs a person, open ones first."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from config.dashboard import Kind, register_cards
from config.facts_admin import DayRangeFilter, FactsAdmin
from config.verbs import Refused, Verb
from notifications import dead_rows
from notifications.incidents import resolve_incident
from notifications.models import Incident, Notification


class OpenFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), ("resolved", _("Resolved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("open", "resolved"):
            return queryset.filter(resolved_at__isnull=self.value() == "open")
        return queryset


def _resolve(_request: HttpRequest, incident: Incident, _data: dict[str, Any]) -> None:
    if incident.resolved_at is not None or not resolve_incident(incident.key):
        raise Refused(_("It is resolved already."))


RESOLVE = Verb(
    name="resolve",
    label=_("Resolve"),
    question=_("Is the cause removed? If the trouble comes back, a new incident is opened."),
    done=_("was resolved."),
    run=_resolve,
    fits=lambda _request, incident: incident.resolved_at is None,
    permissions=("notifications.change_incident",),
    icon="task_alt",
)


@admin.register(Incident)
class IncidentAdmin(FactsAdmin):
    when_empty = _("Nothing has needed a person so far.")
    verbs = (RESOLVE,)
    list_display = ("title_said", "state_badge", "times", "opened_at", "seen_at", "resolved_at")
    list_filter = (OpenFilter, ("opened_at", DayRangeFilter))
    search_fields = ("title", "detail", "key")
    ordering = (F("resolved_at").desc(nulls_first=True), "-id")
    fields = (
        "title_said",
        "detail_said",
        "remedy_said",
        "rows",
        "alerts",
        "key",
        ("times", "opened_at"),
        ("seen_at", "resolved_at"),
    )
    readonly_fields = ("title_said", "detail_said", "remedy_said", "rows", "alerts")

    @admin.display(description=_("title"), ordering="title")
    def title_said(self, incident: Incident) -> str:
        return capfirst(incident.said("title"))

    @admin.display(description=_("detail"))
    def detail_said(self, incident: Incident) -> str:
        return incident.said("detail") or "–"

    @admin.display(description=_("remedy"))
    def remedy_said(self, incident: Incident) -> str:
        return incident.said("remedy") or "–"

    @admin.display(description=_("dead rows now"))
    def rows(self, incident: Incident) -> str:
        found = dead_rows.rows_of(incident)
        if found is None:
            return "–"
        count = found.count()
        return _link(dead_rows.list_of(incident), ngettext("%(count)d row", "%(count)d rows", count) % {"count": count})

    @admin.display(description=_("alerts"))
    def alerts(self, incident: Incident) -> str:
        """The messages that told of it and of its end."""
        about = sorted({incident.alert, incident.recovery} - {""})
        if not about:
            return str(_("Nobody was told."))
        count = Notification.objects.filter(about__in=about).count()
        words = ngettext("%(count)d message", "%(count)d messages", count) % {"count": count}
        try:
            path = reverse("admin:notifications_notification_changelist")
        except NoReverseMatch:
            return words
        return _link(f"{path}?{urlencode({'about__in': ','.join(about)})}", words)

    @display(description=_("state"), ordering="resolved_at", label={"open": "danger", "resolved": "success"})
    def state_badge(self, incident: Incident) -> tuple[str, Any]:
        return ("open", _("Open")) if incident.resolved_at is None else ("resolved", _("Resolved"))


def _link(address: str, words: str) -> str:
    return format_html('<a class="text-primary-600" href="{}">{}</a>', address, words) if address else words


register_cards(
    Kind(
        label=_("Open incidents"),
        permission="notifications.view_incident",
        rows=lambda _user: Incident.objects.filter(resolved_at__isnull=True),
        changelist="notifications_incident",
        query="state=open",
        icon="warning",
        tone="danger",
    ),
    place=90,
)
