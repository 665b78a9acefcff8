"""Remote sources in the admin: where projects come from, whether that works, and *synchronise now*."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanSwitchWidget,
)

from config.admin_links import page_of
from config.admin_verbs import VerbsMixin
from config.secret_fields import SecretField, keep_stored, mask_stored
from config.verbs import Refused, Verb, VerbForm
from projects.errors import AlreadyRunning, RemoteError
from projects.models import ProjectCache, ProjectSyncHistory, ProjectType, RemoteSource
from projects.parsing import FIELDS
from projects.remote import RemoteLibrary
from projects.sync_request import hand_to_worker, open_runs


class SourceForm(forms.ModelForm):
    types = forms.MultipleChoiceField(
        label=_("Project types"), choices=ProjectType.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    class Meta:
        model = RemoteSource
        fields = forms.ALL_FIELDS
        field_classes = {"api_key": SecretField}
        widgets = {"base_url": UnfoldAdminURLInputWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mask_stored(self, ["api_key"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        keep_stored(self, ["api_key"])
        return data

    def clean_base_url(self) -> str:
        return str(self.cleaned_data["base_url"]).rstrip("/")

    def clean_field_map(self) -> dict[str, str]:
        names = self.cleaned_data["field_map"] or {}
        if not isinstance(names, dict):
            raise forms.ValidationError(_("An object in braces is needed."))
        if unknown := sorted(set(names) - set(FIELDS)):
            raise forms.ValidationError(
                _("%(unknown)s is no field of ours. There are %(known)s."),
                params={"unknown": ", ".join(unknown), "known": ", ".join(FIELDS)},
            )
        if wrong := sorted(name for name, theirs in names.items() if not (isinstance(theirs, str) and theirs)):
            raise forms.ValidationError(_("Give a name in quotation marks for %(names)s."), params={"names": wrong})
        return names


def _test(_request: HttpRequest, source: RemoteSource, _data: dict[str, Any]) -> str:
    try:
        announced = RemoteLibrary(source).test()
    except RemoteError as error:
        raise Refused(str(error)) from error
    text = ngettext(
        "The library answers, and says that it has %(count)d project.",
        "The library answers, and says that it has %(count)d projects.",
        announced,
    )
    return text % {"count": announced}


TEST = Verb(
    name="test-connection",
    label=_("Test connection"),
    question=_("Ask the library for one project, with the stored address and key?"),
    done=_("The library answers."),
    run=_test,
    permissions=("projects.change_remotesource", "projects.sync_remotesource"),
    icon="network_check",
    atomic=False,
    in_lists=False,
)


class SyncForm(VerbForm):
    force = forms.BooleanField(
        label=_("force"),
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text=_("Also if that removes more of the mirror than the brake allows."),
    )


def _sync(request: HttpRequest, source: RemoteSource, data: dict[str, Any]) -> HttpResponse:
    if not source.enabled:
        raise Refused(_("This source is switched off."))
    try:
        (run,) = open_runs([source], force=data["force"], user=request.user)
    except AlreadyRunning as busy:
        messages.info(request, gettext("A run is at it already; this is its progress."))
        return HttpResponseRedirect(page_of(busy.run))
    hand_to_worker()
    return HttpResponseRedirect(page_of(run))


SYNC = Verb(
    name="sync",
    label=_("Synchronise now"),
    question=_("Read the whole library now? A worker does it; its progress is shown."),
    done=_("A synchronisation was started."),
    run=_sync,
    fits=lambda _request, source: source.enabled,
    form=SyncForm,
    permissions=("projects.sync_remotesource",),
    icon="sync",
    variant=ActionVariant.PRIMARY,
    in_lists=False,
)


@admin.register(RemoteSource)
class RemoteSourceAdmin(VerbsMixin, ModelAdmin):
    when_empty = _("A remote source says where a project library is, and how it is read.")
    form = SourceForm
    verbs = (SYNC, TEST)
    list_display = ("name", "slug", "base_url", "enabled", "confirmed_at", "updated_at")
    search_fields = ("name", "slug", "base_url")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("confirmed_at", "resume_page", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("name", "slug"), "enabled")}),
        (_("Library"), {"fields": ("base_url", "api_key", "types", "field_map")}),
        (
            _("How it is read"),
            {"fields": (("page_size", "most_removed_percent"), ("connect_timeout", "read_timeout"))},
        ),
        (None, {"fields": (("confirmed_at", "resume_page"), ("created_at", "updated_at"))}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "field_map" and field is not None:
            field.widget.attrs["rows"] = 4
        return field

    def get_deleted_objects(self, objs: Iterable[RemoteSource], request: HttpRequest) -> Any:
        """A source goes with its runs, which nobody may delete alone. One whose projects are here stays: counted, as
        there may be many thousand."""
        sources = list(objs)
        runs = ProjectSyncHistory.objects.filter(source__in=sources).count()
        projects = ProjectCache.objects.filter(source__in=sources).count()
        reason = ngettext(
            "%(count)d project that was read from it. Switch the source off instead.",
            "%(count)d projects that were read from it. Switch the source off instead.",
            projects,
        )
        counts = {self.opts.verbose_name_plural: len(sources), ProjectSyncHistory._meta.verbose_name_plural: runs}
        return list(map(str, sources)), counts, set(), [reason % {"count": projects}] if projects else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """A new one's short name follows its name; clients may know an old one's."""
        return {} if obj else dict(self.prepopulated_fields)
