"""The apps and their credentials in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from config.admin_verbs import VerbsMixin
from config.sealed import SealBroken
from config.verbs import Refused, Verb
from wecom.config_form import ConfigForm
from wecom.configs import callback_url, forget_credentials
from wecom.models import WeComConfig


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
