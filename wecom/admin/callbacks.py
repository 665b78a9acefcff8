"""The inbox, and what was turned away, in the admin."""

from __future__ import annotations

from typing import Any
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException, minidom
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from config.durable import Status
from config.facts_admin import DayRangeFilter, FactsAdmin, QueueAdmin, retry_verb
from config.tones import Tones
from config.verbs import Refused, Verb
from wecom.contacts.event import NOTED, UNSYNCHRONISED
from wecom.inbox import GIVEN_UP, IGNORED, PARKED, UNDERSTOOD, replay
from wecom.models import CallbackEvent, RefusedCallback
from wecom.retention import KEPT_FOR


class WhereaboutsFilter(DropdownFilter):
    """What operators look for in the inbox."""

    title = _("whereabouts")
    parameter_name = "whereabouts"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("parked", _("Parked: waits for its approval")),
            ("waiting", _("Waiting or being retried")),
            ("dead", _("Dead: needs a person")),
            ("done", _("Done")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "parked":
                return queryset.filter(parked_at__isnull=False, status=Status.FAILED)
            case "waiting":
                waiting = queryset.filter(status__in=(Status.PENDING, Status.RUNNING, Status.FAILED))
                return waiting.filter(parked_at__isnull=True)
            case "dead":
                return queryset.filter(status=Status.DEAD)
            case "done":
                return queryset.filter(status=Status.SUCCEEDED)
        return queryset


class EventNameFilter(DropdownFilter):
    """The events that somebody here understands; a list of all names seen would read the whole inbox."""

    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((name, name) for name in UNDERSTOOD), ("other", _("Others"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "other":
            return queryset.exclude(event__in=UNDERSTOOD)
        return queryset.filter(event=self.value()) if self.value() else queryset


def _process_again(_request: HttpRequest, event: CallbackEvent, _data: dict[str, Any]) -> None:
    if not replay(CallbackEvent.objects.filter(pk=event.pk)):
        raise Refused(_("A worker is processing it right now."))


OUTCOMES = {
    "applied": _("Applied"),
    "unchanged": _("Nothing new"),
    "stale": _("Out of date, ignored"),
    "conflict": _("Conflict"),
    "unknown": _("Unknown status, kept"),
    PARKED: _("Parked"),
    GIVEN_UP: _("Given up"),
    IGNORED: _("Not for us"),
    NOTED: _("Being read from WeCom"),
    UNSYNCHRONISED: _("Directory never read"),
    "transfer_refused": _("The customer refused the hand-over"),
    "transfer_limit": _("The new member has too many customers"),
    "transfer_failed": _("The hand-over failed"),
}


def outcome_word(event: CallbackEvent) -> str:
    """What became of the event; a listener's word that is not listed is shown as it is."""
    return str(OUTCOMES.get(event.outcome, event.outcome))


PROCESS_AGAIN = Verb(
    name="process-again",
    label=_("Process again"),
    question=_("Process this event once more? What it says has no second effect if it was applied before."),
    done=_("will be processed again."),
    run=_process_again,
    fits=lambda _request, event: event.status in (Status.PENDING, Status.SUCCEEDED),  # for the others: "Retry"
    permissions=("wecom.change_callbackevent",),
    icon="restart_alt",
)


@admin.register(CallbackEvent)
class CallbackEventAdmin(QueueAdmin):
    verbs = (PROCESS_AGAIN, retry_verb("wecom.change_callbackevent", replay))
    list_display = ("event", "subject", "status_badge", "outcome_badge", "attempts", "created_at", "short_error")
    list_filter = (
        WhereaboutsFilter,
        EventNameFilter,
        ("status", ChoicesDropdownFilter),
        ("config", RelatedDropdownFilter),
        ("created_at", DayRangeFilter),
    )
    search_fields = ("subject", "key", "from_user")
    fieldsets = (
        (None, {"fields": (("event", "change_type"), ("subject", "from_user"), ("event_time", "created_at"))}),
        (
            _("Processing"),
            {
                "fields": (
                    ("status", "outcome_shown"),
                    ("attempts", "next_attempt_at"),
                    ("parked_at", "finished_at"),
                    "last_error",
                )
            },
        ),
        (_("Received"), {"fields": (("config", "credential"), "key", "pretty_payload")}),
    )
    readonly_fields = ("outcome_shown", "pretty_payload")

    @display(description=_("outcome"), label=Tones({PARKED: "warning", "conflict": "danger", "applied": "success"}))
    def outcome_badge(self, event: CallbackEvent) -> tuple[str, str] | str:
        return (event.outcome, outcome_word(event)) if event.outcome else ""

    @admin.display(description=_("outcome"))
    def outcome_shown(self, event: CallbackEvent) -> str:
        return outcome_word(event)

    @admin.display(description=_("payload"))
    def pretty_payload(self, event: CallbackEvent) -> str:
        if not event.payload:
            return _("The payload was deleted after %(days)d days.") % {"days": KEPT_FOR.days}
        return format_html('<pre class="qb-code">{}</pre>', pretty_xml(event.payload))


def pretty_xml(text: str) -> str:
    """``text`` indented; as it is, if it is no XML that we would read."""
    try:
        lines = minidom.parseString(text).toprettyxml(indent="  ").splitlines()
    except (ExpatError, DefusedXmlException):
        return text
    return "\n".join(line for line in lines[1:] if line.strip())


@admin.register(RefusedCallback)
class RefusedCallbackAdmin(FactsAdmin):
    list_display = ("at", "slug", "method", "code", "reason", "remote_address")
    list_filter = ("method", "code", ("at", DayRangeFilter))
    search_fields = ("reason", "slug", "query")
    fields = (("at", "slug"), ("method", "remote_address"), "code", "reason", "query", "body_start")
