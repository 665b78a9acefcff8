"""The words of messages: edited beside a preview on real data and the list of what may be named."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from config.admin_verbs import VerbsMixin
from config.verbs import Refused, Verb
from notifications.admin.filters import EventFilter
from notifications.channels import channel_class
from notifications.events import Event, event_named, names
from notifications.models import ChannelKind, MessageTemplate
from notifications.preview import preview

LONGEST_TYPED = 20_000
"""Characters of a text that a preview looks at."""


def _restore(_request: HttpRequest, template: MessageTemplate, _data: dict[str, Any]) -> None:
    subject, body = _event(template).default(template.channel, template.language)
    if (template.subject, template.body) == (subject, body):
        raise Refused(_("These are the original words."))
    template.subject, template.body = subject, body
    template.save(update_fields=["subject", "body", "updated_at"])


RESTORE = Verb(
    name="restore",
    label=_("Restore the original words"),
    question=_("Give up the present words for those that came with the system?"),
    done=_("has its original words again."),
    run=_restore,
    fits=lambda _request, template: is_edited(template),
    permissions=("notifications.change_messagetemplate",),
    icon="settings_backup_restore",
)


def is_edited(template: MessageTemplate) -> bool:
    """Whether somebody has changed the words that it came with."""
    if template.event not in names():
        return False
    default = event_named(template.event).default(template.channel, template.language)
    return (template.subject, template.body) != default


@admin.register(MessageTemplate)
class MessageTemplateAdmin(VerbsMixin, ModelAdmin):
    """There is a row for every event, channel and language, made by ``migrate``: none is added or deleted by hand."""

    verbs = (RESTORE,)
    change_form_after_template = "notifications/template_preview.html"
    list_display = ("event_name", "channel_badge", "language", "words", "origin", "updated_at")
    list_filter = (EventFilter, ("channel", ChoicesDropdownFilter), ("language", ChoicesDropdownFilter))
    list_filter_submit = True
    search_fields = ("body", "subject")
    ordering = ("event", "language", "channel")

    class Media:
        css = {"all": ("notifications/messages.css",)}
        js = ("notifications/template_preview.js",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(event__in=names())

    def get_fieldsets(self, request: HttpRequest, obj: MessageTemplate | None = None) -> Any:
        fields: list[Any] = [("event_name", "channel_name", "language_name")]
        if obj is not None and channel_class(obj.channel).has_subject:
            fields.append("subject")
        fields.append("body")
        if obj is not None and obj.channel == ChannelKind.SMS:
            fields.append("sms_template")
        return [(None, {"fields": fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("event_name", "channel_name", "language_name")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "body" and field is not None:
            field.widget = UnfoldAdminTextareaWidget(attrs={"rows": 8})
        return field

    # -- list --------------------------------------------------------------------------------------------------------

    @display(description=_("event"), ordering="event")
    def event_name(self, template: MessageTemplate) -> str:
        return template.event_label

    @display(description=_("channel"), ordering="channel", label=True)
    def channel_badge(self, template: MessageTemplate) -> str:
        return template.get_channel_display()

    @display(description=_("text"))
    def words(self, template: MessageTemplate) -> str:
        return f"{template.body[:60]}…" if len(template.body) > 60 else template.body

    @display(description=_("words"), label={"edited": "warning", "original": "default"})
    def origin(self, template: MessageTemplate) -> tuple[str, Any]:
        return ("edited", _("Edited")) if is_edited(template) else ("original", _("Original"))

    @display(description=_("channel"))
    def channel_name(self, template: MessageTemplate) -> str:
        return template.get_channel_display()

    @display(description=_("language"))
    def language_name(self, template: MessageTemplate) -> str:
        return template.get_language_display()

    # -- preview -----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        preview_view = self.admin_site.admin_view(require_POST(self.preview_view))
        own = path("<int:pk>/preview/", preview_view, name="notifications_messagetemplate_preview")
        return [own, *super().get_urls()]

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST what is typed; JSON with what would be sent."""
        template = self.get_object(request, str(pk))
        if template is None:
            raise Http404
        if not self.has_view_or_change_permission(request, template):
            raise PermissionDenied
        typed = {field: request.POST.get(field, "")[:LONGEST_TYPED] for field in ("subject", "body")}
        return JsonResponse(preview(_event(template), template.channel, template.language, **typed).as_json())

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        template = kwargs.get("obj")
        if template is not None:
            event = _event(template)
            texts = {"subject": template.subject, "body": template.body}
            context |= {
                "variables": _variables(event, template.language),
                "preview": preview(event, template.channel, template.language, **texts),
                "preview_url": reverse("admin:notifications_messagetemplate_preview", args=[template.pk]),
                "has_subject": channel_class(template.channel).has_subject,
                "for_sms": template.channel == ChannelKind.SMS,
            }
        response: HttpResponse = super().render_change_form(request, context, **kwargs)
        return response


def _event(template: MessageTemplate) -> Event:
    return event_named(template.event)


def _variables(event: Event, language: str) -> list[dict[str, str]]:
    samples = event.samples(language)
    return [
        {"placeholder": f"{{{{ {variable.name} }}}}", "label": str(variable.label), "sample": samples[variable.name]}
        for variable in event.variables
    ]
