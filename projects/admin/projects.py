"""The mirror in the admin: looked at, refreshed, opened; never edited."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from config.facts_admin import DayRangeFilter, FactsAdmin
from config.verbs import Refused, Verb
from projects.admin.filters import AgeFilter
from projects.admin.links import MAKE_LINK, STATES, state_of
from projects.admin.words import LINK_TONES, STATUS_TONES
from projects.ages import how_old
from projects.document import mask_phone, public_fields
from projects.models import ProjectCache, Role, TimeDisplayConfig
from projects.page.addresses import page_address
from projects.parsing import FIELDS
from projects.reading import read
from projects.refresh import confirmed_at

LISTED = 20
"""Changes and links on a project's page; the lists have the others."""
HEAVY = ("document", "extra", "stakeholders")
WITH_NUMBERS = ("phone", "stakeholders", "extra")
SEE_PHONES = "projects.view_phone"


def _refresh(_request: HttpRequest, project: ProjectCache, _data: dict[str, Any]) -> str:
    before = project.content_hash
    reading = read(project, force_sync=True)
    if reading.stale:
        raise Refused(_("Its library gave nothing; the copy stays as it was."))
    if reading.from_cache:
        return gettext("It was confirmed a moment ago.")
    project.refresh_from_db(fields=["content_hash"])
    if project.content_hash == before:
        return gettext("Its library was asked: nothing has changed.")
    return gettext("Its library was asked, and the copy is up to date now.")


REFRESH = Verb(
    name="refresh",
    label=_("Refresh now"),
    question=_("Ask its library for this project now? That takes three seconds at most."),
    done=_("was refreshed."),
    run=_refresh,
    permissions=("projects.view_projectcache",),
    icon="refresh",
    atomic=False,
    in_lists=False,
)


@admin.register(ProjectCache)
class ProjectCacheAdmin(FactsAdmin):
    when_empty = _("Projects appear here when a remote source has been synchronised.")
    verbs = (MAKE_LINK, REFRESH)
    leads = ("open_page",)
    change_form_outer_after_template = "projects/related.html"
    list_display = ("remote_id", "title", "type", "status_badge", "customer_name", "source", "age", "changed_at")
    list_select_related = ("source",)
    list_filter = (
        ("type", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        AgeFilter,
        ("source", RelatedDropdownFilter),
        ("changed_at", DayRangeFilter),
    )
    search_help_text = _("ID, title or customer")
    ordering = ("-changed_at", "-id")
    fieldsets = (
        (None, {"fields": (("remote_id", "type"), "title", ("status", "customer_name"), "phone_shown")}),
        (_("People and other fields"), {"fields": ("people", "other_fields")}),
        (_("Our copy"), {"fields": (("source", "age"), ("fetched_at", "changed_at"), "remote_updated_at")}),
    )
    readonly_fields = ("phone_shown", "people", "other_fields", "age")

    def get_deferred(self) -> Iterable[str]:
        return (*HEAVY, "source__api_key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProjectCache]:
        return super().get_queryset(request).select_related("source")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Who looks decides what is masked; the methods that show a field learn of the row alone."""
        project = super().get_object(request, object_id, from_field)
        if project is not None:
            project.numbers_visible = request.user.has_perm(SEE_PHONES)
        return project

    def get_fieldsets(self, request: HttpRequest, obj: ProjectCache | None = None) -> Any:
        """What is wrong with a copy is shown where something is: its explanation would frighten beside a dash."""
        *others, (heading, copy) = super().get_fieldsets(request, obj)
        wrong = [name for name in ("removed_at", "unconfirmed_since") if obj and getattr(obj, name)]
        return [*others, (heading, {**copy, "fields": (*copy["fields"], *wrong)})]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Numbers are searched by those only who may see them: a search tells what it finds."""
        fields = ("remote_id", "title", "customer_name")
        return (*fields, "phone") if request.user.has_perm(SEE_PHONES) else fields

    def get_hidden(self, request: HttpRequest) -> Collection[str]:
        return () if request.user.has_perm(SEE_PHONES) else WITH_NUMBERS

    # -- columns and fields ------------------------------------------------------------------------------------------

    @display(description=_("status"), ordering="status", label=STATUS_TONES)
    def status_badge(self, project: ProjectCache) -> tuple[str, str]:
        return project.status, project.get_status_display()

    @admin.display(description=_("confirmed"))
    def age(self, project: ProjectCache) -> str:
        words = how_old(timezone.now() - confirmed_at(project))
        return gettext("%(age)s; gone from its library") % {"age": words} if project.removed_at else words

    @admin.display(description=_("phone"))
    def phone_shown(self, project: ProjectCache) -> str:
        return project.phone if _numbers_visible(project) else mask_phone(project.phone)

    @admin.display(description=_("people"))
    def people(self, project: ProjectCache) -> SafeString:
        return format_html_join("", "<div>{}</div>", ((line,) for line in _people(project)))

    @admin.display(description=_("other fields"))
    def other_fields(self, project: ProjectCache) -> SafeString:
        """As links show them, but for the numbers of who may see those."""
        shown = public_fields(project, TimeDisplayConfig.load(), phone_visible=_numbers_visible(project))
        others = {name: value for name, value in shown.items() if name not in FIELDS}
        if not others:
            return format_html("{}", "–")
        return format_html('<pre class="qb-code">{}</pre>', json.dumps(others, ensure_ascii=False, indent=2))

    # -- the page ----------------------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, obj: ProjectCache) -> dict[str, Any]:
        return _related(request, obj)

    @action(description=_("Open the page"), url_path="open-page", icon="open_in_new", attrs={"target": "_blank"})
    def open_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The customer's page, as staff see it."""
        project = self.get_object(request, object_id)
        if project is None:
            raise Http404
        if not self.has_view_permission(request, project):
            raise PermissionDenied
        return HttpResponseRedirect(page_address(project.remote_id))


def _numbers_visible(project: ProjectCache) -> bool:
    return bool(getattr(project, "numbers_visible", False))


def _people(project: ProjectCache) -> Iterator[str]:
    for person in project.stakeholders:
        role = person.get("role", "")
        phone = person.get("phone", "")
        facts = (
            str(Role(role).label) if role in Role else role,
            person.get("name", ""),
            person.get("user_id", ""),
            person.get("wecom_userid", ""),
            phone if _numbers_visible(project) else mask_phone(phone),
            person.get("email", ""),
        )
        yield " · ".join(filter(None, facts))


def _related(request: HttpRequest, project: ProjectCache) -> dict[str, Any]:
    """Context of ``projects/related.html``: the newest changes and links, each for who may see such."""
    may = request.user.has_perm
    query = {"q": project.remote_id}
    context: dict[str, Any] = {"project": project}
    if may("projects.view_projectstatuschange"):
        context["changes"] = [
            (change, STATUS_TONES.get(change.old_status, ""), STATUS_TONES.get(change.new_status, ""))
            for change in project.changes.all()[:LISTED]
        ]
        context["changes_url"] = _list_of("projectstatuschange", query)
    if may("projects.view_projectaccesstoken"):
        rows = project.links.select_related("created_by")[:LISTED]
        context["links"] = [(link, LINK_TONES[state_of(link)], STATES[state_of(link)]) for link in rows]
        context["links_url"] = _list_of("projectaccesstoken", query)
    if may("projects.view_projectaccesslog"):
        context["looks_url"] = _list_of("projectaccesslog", query)
    return context


def _list_of(model: str, query: dict[str, str]) -> str:
    return f"{reverse(f'admin:projects_{model}_changelist')}?{urlencode(query)}"
