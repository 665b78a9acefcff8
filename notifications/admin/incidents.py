"""Incidents: what needs a person, open ones first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from config.dashboard import Kind, register_cards
from config.facts_admin import DayRangeFilter, FactsAdmin
from config.verbs import Refused, Verb
from notifications.incidents import resolve_incident
from notifications.models import Incident


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
    verbs = (RESOLVE,)
    list_display = ("title", "state_badge", "times", "opened_at", "seen_at", "resolved_at")
    list_filter = (OpenFilter, ("opened_at", DayRangeFilter))
    search_fields = ("title", "detail", "key")
    ordering = (F("resolved_at").desc(nulls_first=True), "-id")
    fields = ("title", "detail", "remedy", "key", ("times", "opened_at"), ("seen_at", "resolved_at"))

    @display(description=_("state"), ordering="resolved_at", label={"open": "danger", "resolved": "success"})
    def state_badge(self, incident: Incident) -> tuple[str, Any]:
        return ("open", _("Open")) if incident.resolved_at is None else ("resolved", _("Resolved"))


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
