"""The queue of messages: who was told what, when and how; what failed and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from config.dashboard import Kind, register_cards
from config.durable import Status
from config.facts_admin import DayRangeFilter, QueueAdmin, retry_verb
from config.phones import masked
from notifications.about import pages_of
from notifications.admin.filters import EventFilter
from notifications.models import ChannelKind, Notification

SEE_NUMBERS = "projects.view_phone"
"""The right to see phone numbers in full; the numbers are those of the projects' people."""


register_cards(
    Kind(
        label=_("Messages given up"),
        permission="notifications.view_notification",
        rows=lambda _user: Notification.objects.dead(),
        changelist="notifications_notification",
        query="delivery=given_up",
        icon="unsubscribe",
        tone="danger",
    ),
    place=70,
)


class SentFilter(DropdownFilter):
    """Whether it has left: an operator's first question."""

    title = _("delivery")
    parameter_name = "delivery"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("Waiting")), ("sent", _("Sent")), ("given_up", _("Given up"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "waiting":
                return queryset.waiting()  # type: ignore[attr-defined,no-any-return]
            case "sent":
                return queryset.filter(status=Status.SUCCEEDED)
            case "given_up":
                return queryset.dead()  # type: ignore[attr-defined,no-any-return]
        return queryset


@admin.register(Notification)
class NotificationAdmin(QueueAdmin):
    when_empty = _("When something happens that people are told about, their messages appear here.")
    verbs = (retry_verb("notifications.change_notification"),)

    class Media:
        css = {"all": ("notifications/messages.css",)}

    list_display = (
        "recipient_name",
        "channel",
        "event_name",
        "about_link",
        "status_badge",
        "attempts",
        "next_attempt_at",
        "created_at",
        "short_error",
    )
    list_filter = (
        SentFilter,
        ("status", ChoicesDropdownFilter),
        ("channel", ChoicesDropdownFilter),
        EventFilter,
        ("created_at", DayRangeFilter),
    )
    readonly_fields = ("recipient_name", "role_name", "event_name", "address_shown", "about_link", "text", "parameters")
    fieldsets = (
        (
            None,
            {"fields": (("recipient_name", "role_name"), ("channel", "address_shown"), ("event_name", "about_link"))},
        ),
        (_("Message"), {"fields": ("subject", "text", ("sms_template", "parameters"), "language")}),
        (
            _("Processing"),
            {
                "fields": (
                    ("status", "attempts"),
                    ("created_at", "next_attempt_at", "finished_at"),
                    "last_error",
                    ("provider_id", "key"),
                )
            },
        ),
    )

    def get_deferred(self) -> Iterable[str]:
        return ("body", "sms_parameters")

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        """Whoever may not see numbers may not find out by searching either."""
        fields = ("recipient", "about", "key")
        return (*fields, "address", "body") if request.user.has_perm(SEE_NUMBERS) else fields

    def get_hidden(self, request: HttpRequest) -> Collection[str]:
        return () if request.user.has_perm(SEE_NUMBERS) else ("address",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(numbers_shown=Value(request.user.has_perm(SEE_NUMBERS)))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        pages = pages_of(row.about for row in changelist.result_list)
        for row in changelist.result_list:
            row.page = pages.get(row.about)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.page = pages_of([row.about]).get(row.about)
        return row

    @display(description=_("recipient"), ordering="recipient")
    def recipient_name(self, row: Notification) -> str:
        return row.recipient or "–"

    @display(description=_("role"), ordering="role")
    def role_name(self, row: Notification) -> str:
        return row.role_label or "–"

    @display(description=_("event"), ordering="event")
    def event_name(self, row: Notification) -> str:
        return row.event_label

    @display(description=_("address"))
    def address_shown(self, row: Any) -> str:
        hidden = row.channel == ChannelKind.SMS and not row.numbers_shown
        return masked(row.address) if hidden else row.address

    @display(description=_("about"), ordering="about")
    def about_link(self, row: Any) -> str | SafeString:
        if row.page is None:
            return row.about or "–"
        return format_html('<a class="text-link" href="{}">{}</a>', row.page.address, row.page.name)

    @display(description=_("text"))
    def text(self, row: Notification) -> SafeString:
        return format_html('<div class="qb-message">{}</div>', row.body)

    @display(description=_("SMS parameters"))
    def parameters(self, row: Notification) -> str:
        return "; ".join(f"{name} = {value}" for name, value in row.sms_parameters) or "–"
