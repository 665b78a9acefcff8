"""Links in the admin: made (and shown once), looked at, revoked. The token itself is never kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import segno
import structlog
from django import forms
from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from redis import RedisError
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from config.admin_links import link_to, page_of
from config.facts_admin import DayRangeFilter, FactsAdmin
from config.verbs import Refused, Verb, VerbForm
from projects import tokens
from projects.admin.filters import EXPIRING_LINK, LinkStateFilter
from projects.admin.words import LINK_TONES
from projects.models import ProjectAccessToken, ProjectCache, Role

logger = structlog.get_logger(__name__)

FORM_KEPT = timedelta(days=1)
"""For so long a form that made a link makes no second one."""
STATES = {
    "valid": _("Valid"),
    "expiring": _("Expires soon"),
    "expired": _("Expired"),
    "revoked": pgettext_lazy("of a link", "Revoked"),
}


def state_of(link: ProjectAccessToken) -> str:
    """One of STATES."""
    if link.revoked_at is not None:
        return "revoked"
    left: timedelta = link.expires_at - timezone.now()
    if left <= timedelta(0):
        return "expired"
    return "expiring" if left <= EXPIRING_LINK else "valid"


class LinkForm(VerbForm):
    """For whom, and for how long. One of the project's people can be chosen instead of typing."""

    stakeholder = forms.ChoiceField(
        label=_("one of the project's people"), required=False, widget=UnfoldAdminSelectWidget()
    )
    user_name = forms.CharField(
        label=_("or somebody else: name"), max_length=100, required=False, widget=UnfoldAdminTextInputWidget()
    )
    user_id = forms.CharField(label=_("their ID"), max_length=100, required=False, widget=UnfoldAdminTextInputWidget())
    access_type = forms.ChoiceField(
        label=_("their role"), choices=[("", "---------"), *Role.choices], required=False,
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    days = forms.IntegerField(
        label=_("valid for (days)"),
        min_value=1,
        max_value=tokens.MOST_DAYS,
        initial=tokens.DAYS,
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.targets[0].stakeholders  # type: ignore[attr-defined]
        self.people = {str(n): person for n, person in enumerate(people) if person.get("role") in Role}
        self.fields["stakeholder"].choices = [  # type: ignore[attr-defined]
            ("", "---------"),
            *((n, f"{person['name']} ({Role(person['role']).label})") for n, person in self.people.items()),
        ]
        if not self.people:
            del self.fields["stakeholder"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        person = self.people.get(data.pop("stakeholder", "") or "")
        if person is not None:
            if any(data.get(name) for name in ("user_name", "user_id", "access_type")):
                raise ValidationError(_("Choose one of the project's people, or fill in somebody else; not both."))
            name = person["name"]
            return {**data, "user_name": name, "user_id": person.get("user_id") or name, "access_type": person["role"]}
        for name in ("user_name", "user_id", "access_type"):
            if not data.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        return data


def _is_reload(request: HttpRequest) -> bool:
    """Whether this very form was sent before: the page that shows a link is the answer to it, and somebody loads that
    page again. Django masks the CSRF token anew for each form, which tells one from the other."""
    form = hashlib.sha256(request.POST.get("csrfmiddlewaretoken", "").encode()).hexdigest()
    try:
        return not cache.add(f"project-link-form:{form}", True, timeout=int(FORM_KEPT.total_seconds()))
    except RedisError as error:
        logger.warning("link_form_not_noted", error=type(error).__name__)
        return False


def _make(request: HttpRequest, project: ProjectCache, data: dict[str, Any]) -> HttpResponse:
    if _is_reload(request):
        raise Refused(_("That link was made, and shown once. If it is lost, revoke it and make another one here."))
    try:
        issued = tokens.issue(project, **data, created_by=request.user)  # type: ignore[arg-type]
    except ValidationError as error:
        raise Refused(" ".join(error.messages), getattr(error, "message_dict", None)) from error
    context = {
        **admin.site.each_context(request),
        "title": _("A new link"),
        "subtitle": str(project),
        "opts": ProjectAccessToken._meta,
        "project": project,
        "link": issued.row,
        "address": issued.url,
        "picture": segno.make(issued.url, error="m").svg_data_uri(scale=6, border=2),
        "back": page_of(project),
    }
    return TemplateResponse(request, "projects/link_made.html", context)


MAKE_LINK = Verb(
    name="make-link",
    label=_("Make a link"),
    question=_("For whom? Whoever holds the link sees this project until it expires or is revoked."),
    done=_("A link was made."),
    run=_make,
    form=LinkForm,
    permissions=("projects.issue_links",),
    icon="add_link",
    variant=ActionVariant.PRIMARY,
    in_lists=False,
)


def _revoke(request: HttpRequest, link: ProjectAccessToken, _data: dict[str, Any]) -> None:
    if not tokens.revoke(ProjectAccessToken.objects.filter(pk=link.pk), request.user):  # type: ignore[arg-type]
        raise Refused(_("It is revoked already."))


REVOKE = Verb(
    name="revoke",
    label=pgettext_lazy("of a link", "Revoke"),
    question=_("Close this link? Whoever holds it sees nothing from now on; that cannot be taken back."),
    done=_("was revoked."),
    run=_revoke,
    fits=lambda _request, link: link.revoked_at is None,
    permissions=("projects.issue_links",),
    icon="link_off",
    variant=ActionVariant.DANGER,
)


@admin.register(ProjectAccessToken)
class ProjectAccessTokenAdmin(FactsAdmin):
    when_empty = _("Links are made on a project's page.")
    verbs = (REVOKE,)
    list_display = (
        "user_name",
        "project_link",
        "access_type",
        "state_badge",
        "expires_at",
        "use_count",
        "last_used_at",
        "created_by",
    )
    list_select_related = ("project", "created_by")
    list_filter = (LinkStateFilter, ("access_type", ChoicesDropdownFilter), ("created_at", DayRangeFilter))
    search_fields = ("user_name", "user_id", "project__remote_id", "project__title")
    search_help_text = _("Person or project")
    fieldsets = (
        (None, {"fields": ("project_link", ("user_name", "user_id"), ("access_type", "state"))}),
        (_("Validity"), {"fields": (("created_at", "created_by"), "expires_at", ("revoked_at", "revoked_by"))}),
        (_("Use"), {"fields": (("use_count", "last_used_at"),)}),
    )
    readonly_fields = ("project_link", "state")

    def get_deferred(self) -> Iterable[str]:
        return ("digest", *(f"project__{name}" for name in ("document", "extra", "stakeholders")))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProjectAccessToken]:
        return super().get_queryset(request).select_related("project", "created_by")

    @admin.display(description=_("project"), ordering="project__remote_id")
    def project_link(self, link: ProjectAccessToken) -> SafeString | str:
        return link_to(link.project)

    @display(description=_("state"), label=LINK_TONES)
    def state_badge(self, link: ProjectAccessToken) -> tuple[str, Any]:
        state = state_of(link)
        return state, STATES[state]

    @admin.display(description=_("state"))
    def state(self, link: ProjectAccessToken) -> Any:
        return STATES[state_of(link)]
