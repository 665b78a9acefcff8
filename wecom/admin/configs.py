"""The apps in the admin: credentials that go in and never come out, and what each app may do."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from config.admin_verbs import VerbsMixin
from config.page_context import PageContext
from wecom.admin.config_verbs import CHECK_CALLBACK, FINISH_ROTATION, PROBE, rotating, summary
from wecom.config_form import ConfigForm
from wecom.config_saving import delete_config, in_use_sentence, lock_all, save_config, users_of
from wecom.configs import callback_url
from wecom.models import Capability, WeComConfig
from wecom.probe import PLACES, explain, probe_and_keep

TONES = {True: "success", False: "danger", None: "warning"}
VERDICTS = {True: _("Works"), False: _("Does not work"), None: _("Not known")}


def matrix(config: WeComConfig) -> list[dict[str, Any]]:
    """What is known of each capability, in their order."""
    known = {result.capability: result for result in config.capabilities.all()}
    lines = []
    for capability in Capability:
        line: dict[str, Any] = {"name": capability.label, "tone": "default", "verdict": _("Not asked yet")}
        if result := known.get(capability.value):
            line |= {"result": result, "tone": TONES[result.ok], "verdict": VERDICTS[result.ok]}
            line["words"] = explain(result, config)
            line["place"] = PLACES[capability] if result.ok is False else ""
        lines.append(line)
    return lines


@admin.register(WeComConfig)
class WeComConfigAdmin(VerbsMixin, PageContext):
    form = ConfigForm
    verbs = (PROBE, CHECK_CALLBACK, FINISH_ROTATION)
    change_form_outer_before_template = "wecom/capabilities.html"
    list_display = ("name", "slug", "corp_id", "agent_id", "enabled", "is_default", "updated_at")
    search_fields = ("name", "slug", "corp_id")
    readonly_fields = ("callback_address", "last_callback", "created_at", "updated_at")
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
                    "last_callback",
                    ("next_callback_token", "next_encoding_aes_key"),
                    "discard_next",
                ),
            },
        ),
        (
            _("Sync assistant"),
            {"fields": ("contact_secret", ("contact_callback_token", "contact_encoding_aes_key"))},
        ),
        (_("Approvals"), {"fields": ("template_id", "engine_template_id", "default_applicant")}),
        (None, {"fields": (("created_at", "updated_at"),)}),
    )

    @admin.display(description=_("callback address"))
    def callback_address(self, config: WeComConfig) -> SafeString | str:
        if config._state.adding:
            return str(_("Shown once the app is saved."))
        return render_to_string("admin/copyable.html", {"text": callback_url(config)})

    @admin.display(description=_("last callback"))
    def last_callback(self, config: WeComConfig) -> str:
        """During a rotation: whether WeCom uses the next pair already."""
        if config.last_callback_at is None:
            return str(_("None yet."))
        said = _("%(age)s ago") % {"age": timesince(config.last_callback_at)}
        if not rotating(config):
            return said
        if not config.last_credential:
            return _("%(ago)s, before these credentials were entered.") % {"ago": said}
        if config.last_credential == "secondary":
            return _("%(ago)s, with the next pair: the rotation can be finished.") % {"ago": said}
        return _("%(ago)s, still with the present pair: enter the next one in WeCom.") % {"ago": said}

    def get_fieldsets(self, request: HttpRequest, obj: WeComConfig | None = None) -> Any:
        (name, first), *others = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return ((name, first), *others)
        return ((name, {**first, "fields": (*first["fields"], "seen")}), *others)

    def page_context(self, request: HttpRequest, obj: WeComConfig) -> dict[str, Any]:
        return {"capabilities": matrix(obj)}

    # -- saving ------------------------------------------------------------------------------------------------------

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Of two forms that arrive at the same moment the second is compared with what the first has saved."""
        with transaction.atomic():
            if request.method == "POST" and object_id:
                lock_all()
            return super().changeform_view(request, object_id, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: WeComConfig, form: Any, change: bool) -> None:
        if save_config(obj):
            transaction.on_commit(partial(_tell_what_it_may, request, obj), robust=True)

    def response_post_save_add(self, request: HttpRequest, obj: WeComConfig) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:wecom_wecomconfig_change", args=[obj.pk]))

    response_post_save_change = response_post_save_add  # to what the app may do, which has just been found out

    # -- deleting ----------------------------------------------------------------------------------------------------

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Not by Django's own way: it would load the whole directory to list it."""
        protected = [f"{config}: {in_use_sentence(users)}" for config in objs if (users := users_of(config))]
        return [str(config) for config in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), protected

    def delete_model(self, request: HttpRequest, obj: WeComConfig) -> None:
        delete_config(obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for config in queryset:
            delete_config(config)


def _tell_what_it_may(request: HttpRequest, config: WeComConfig) -> None:
    """After the commit: our own processes must be able to read the credentials that the callback is checked with."""
    found = probe_and_keep(config)
    level = messages.WARNING if any(one.ok is False for one in found) else messages.SUCCESS
    messages.add_message(request, level, summary(found))
