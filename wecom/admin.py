"""WeCom in the admin: the apps' credentials, who is who, the inbox, and what was turned away."""

from __future__ import annotations

from typing import Any
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException, minidom
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2Widget

from config.admin_verbs import VerbsMixin
from config.durable import Status
from config.facts_admin import DayRangeFilter, FactsAdmin, QueueAdmin, Tones, retry_verb
from config.sealed import SealBroken
from config.verbs import Refused, Verb
from wecom.config_form import ConfigForm
from wecom.configs import BOOTSTRAP_SLUG, forget_credentials
from wecom.inbox import GIVEN_UP, IGNORED, PARKED, READERS, replay
from wecom.models import CallbackEvent, Member, RefusedCallback, WeComConfig
from wecom.retention import KEPT_FOR


def callback_url(config: WeComConfig) -> str:
    """The address to enter in WeCom's console for this app."""
    if config.is_default or config.slug == BOOTSTRAP_SLUG:
        return str(settings.WECOM_CALLBACK_URL)
    return settings.API_BASE_URL + reverse("wecom:callback-of-app", args=[config.slug])


def _finish_rotation(_request: HttpRequest, config: WeComConfig, _data: dict[str, Any]) -> None:
    try:
        if config.next_callback_token:
            config.callback_token = config.next_callback_token.reveal()
        if config.next_encoding_aes_key:
            config.encoding_aes_key = config.next_encoding_aes_key.reveal()
    except SealBroken as error:
        raise Refused(_("The next pair cannot be opened. Enter it again.")) from error
    config.next_callback_token = config.next_encoding_aes_key = ""
    config.save()
    forget_credentials()


def _rotating(_request: HttpRequest, config: WeComConfig) -> bool:
    return bool(config.next_callback_token or config.next_encoding_aes_key)


FINISH_ROTATION = Verb(
    name="finish-rotation",
    label=_("Finish rotation"),
    question=_("Use only the next pair from now on? Callbacks that carry the old one will be refused."),
    done=_("The next pair of callback credentials is the only one now."),
    run=_finish_rotation,
    fits=_rotating,
    permissions=("wecom.change_wecomconfig",),
    icon="autorenew",
    in_lists=False,
)


@admin.register(WeComConfig)
class WeComConfigAdmin(VerbsMixin, ModelAdmin):
    form = ConfigForm
    verbs = (FINISH_ROTATION,)
    list_display = ("name", "slug", "corp_id", "agent_id", "enabled", "is_default", "updated_at")
    search_fields = ("name", "slug", "corp_id")
    readonly_fields = ("callback_address", "created_at", "updated_at")
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "slug", "enabled", "is_default")}),
        (_("App"), {"fields": ("corp_id", "agent_id", "secret")}),
        (
            _("Callback"),
            {
                "fields": (
                    "callback_address",
                    ("callback_token", "encoding_aes_key"),
                    ("next_callback_token", "next_encoding_aes_key"),
                    "discard_next",
                ),
            },
        ),
        (_("Approvals"), {"fields": ("template_id", "default_applicant")}),
        (None, {"fields": (("created_at", "updated_at"),)}),
    )

    @admin.display(description=_("callback address"))
    def callback_address(self, config: WeComConfig) -> SafeString | str:
        if config._state.adding:
            return str(_("Shown once the app is saved."))
        return render_to_string("admin/copyable.html", {"text": callback_url(config)})

    def save_model(self, request: HttpRequest, obj: WeComConfig, form: Any, change: bool) -> None:
        if obj.is_default:  # there is one; taking the mark over is what the person means
            WeComConfig.objects.filter(is_default=True).exclude(pk=obj.pk).update(is_default=False)
        super().save_model(request, obj, form, change)
        forget_credentials()


@admin.register(Member)
class MemberAdmin(ModelAdmin):
    list_display = ("name", "userid", "user", "config")
    list_select_related = ("user", "config")
    list_filter = (("config", RelatedDropdownFilter), ("user", admin.EmptyFieldListFilter))
    search_fields = ("name", "userid", "user__username")
    fields = ("config", "userid", "name", "user")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":  # not an autocomplete: that would demand the right to see all users
            kwargs["queryset"] = get_user_model().objects.filter(is_staff=True).order_by("username")
            kwargs["widget"] = UnfoldAdminSelect2Widget()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


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
        return [*((name, name) for name in READERS), ("other", _("Others"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "other":
            return queryset.exclude(event__in=READERS)
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
