"""Who is who in the admin. What WeCom tells is read-only; whom a member is here, a person says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2Widget

from config.admin_verbs import VerbsMixin
from config.facts_admin import HiddenColumns
from config.tones import Tones
from config.verbs import Refused, Verb
from wecom.admin.customers import SEE_PHONES
from wecom.admin.filters import LinkFilter, PresenceFilter
from wecom.admin.member_facts import SHOWN, MemberFacts
from wecom.directory_sync.linking import confirm
from wecom.models import Member, MemberDepartment, Origin

STATUS_TONES = Tones({"1": "success", "2": "danger", "4": "warning", "5": "default", "gone": "default"})
TOLD = (
    "config",
    "userid",
    "name",
    "alias",
    "position",
    "mobile",
    "telephone",
    "email",
    "biz_mail",
    "direct_leader",
    "status",
    "origin",
    "synced_at",
    "deleted_at",
)
"""Of a member that WeCom tells of: nobody edits it here."""
REACHED_BY = ("mobile", "telephone", "email", "biz_mail")
"""How a member is reached: for people with the right to see phone numbers. Others are shown masked numbers."""
TELLS_OF_IT = ("extra", "content_hash")
"""Columns on no page from which that could be guessed by filtering."""


def may_link(request: HttpRequest, user: Any) -> bool:
    """The link is a key: whoever set a superuser's could log in as that superuser with their own WeCom."""
    return user is None or request.user.is_superuser or not user.is_superuser


def _confirm(request: HttpRequest, member: Member, _data: dict[str, Any]) -> str:
    if not may_link(request, member.suggested_user):
        raise Refused(_("Only a superuser may link a superuser."))
    if not confirm(Member.objects.filter(pk=member.pk)):
        raise Refused(_("Nobody is suggested, or that person is linked to another member meanwhile."))
    member.refresh_from_db()
    return str(_("Linked to %(user)s.")) % {"user": member.user}


CONFIRM = Verb(
    name="confirm-suggestion",
    label=_("Confirm suggestion"),
    question=_("Is this member the staff user who is suggested? They will act in that user's name."),
    done=_("The member is linked."),
    run=_confirm,
    fits=lambda request, member: (
        member.user_id is None and member.suggested_user_id is not None and may_link(request, member.suggested_user)
    ),
    permissions=("wecom.change_member",),
    icon="how_to_reg",
)


def _reached_by(request: HttpRequest) -> tuple[tuple[str, ...], ...]:
    if request.user.has_perm(SEE_PHONES):
        return ("mobile_shown", "telephone"), ("email_shown", "biz_mail_shown")
    return (("mobile_masked", "telephone_masked"),)


class PlaceInline(TabularInline):
    """Where a member sits."""

    model = MemberDepartment
    fields = ("department", "is_leader", "order")
    readonly_fields = fields
    extra = 0
    can_delete = False
    hide_title = True
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # part of the member's page

    def get_queryset(self, request: HttpRequest) -> QuerySet[MemberDepartment]:
        rows: QuerySet[MemberDepartment] = super().get_queryset(request)
        return rows.select_related("department", "member")


@admin.register(Member)
class MemberAdmin(MemberFacts, VerbsMixin, HiddenColumns):
    verbs = (CONFIRM,)
    list_display = ("name", "userid", "places_shown", "position", "state", "staff_user", "config")
    list_select_related = ("user", "suggested_user", "config")
    list_filter = (
        PresenceFilter,
        ("departments", AutocompleteSelectFilter),
        LinkFilter,
        ("status", ChoicesDropdownFilter),
        ("origin", ChoicesDropdownFilter),
        ("config", RelatedDropdownFilter),
    )
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "userid", "alias", "user__username")

    # -- what may be edited ------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Member | None = None) -> Any:
        if obj is None or obj.origin == Origin.MANUAL:
            return ((None, {"fields": ("config", "userid", "name", "user")}),)
        return (
            (
                None,
                {
                    "fields": (
                        ("name", "userid"),
                        ("alias", "position"),
                        ("config", "origin"),
                        ("suggested_user", "user") if obj.suggested_user_id else "user",
                    )
                },
            ),
            (
                _("Told by WeCom"),
                {
                    "fields": (
                        *_reached_by(request),
                        ("direct_leader", "status_shown"),
                        ("main_department_shown", "gender_shown"),
                        # what companies add themselves may be anything, private numbers too
                        ("avatar_shown", "extra_shown") if request.user.has_perm(SEE_PHONES) else "avatar_shown",
                    )
                },
            ),
            (None, {"fields": (("synced_at", "deleted_at"),)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> Sequence[str]:
        told = TOLD if obj is not None and obj.origin == Origin.WECOM else ()
        return ("suggested_user", *SHOWN, *told)

    def get_hidden(self, request: HttpRequest) -> Collection[str]:
        return () if request.user.has_perm(SEE_PHONES) else (*REACHED_BY, *TELLS_OF_IT)

    def get_inlines(self, request: HttpRequest, obj: Member | None) -> Any:
        return [PlaceInline] if obj is not None and obj.origin == Origin.WECOM else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and may_link(request, obj.user if obj else None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """WeCom's own members leave by leaving; the next run would bring a deleted one back."""
        manual = obj is None or obj.origin == Origin.MANUAL
        allowed: bool = super().has_delete_permission(request, obj)
        return manual and allowed and may_link(request, obj.user if obj else None)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":  # not an autocomplete: that would demand the right to see all users
            users = get_user_model().objects.filter(is_staff=True).order_by("username")
            kwargs["queryset"] = users if request.user.is_superuser else users.exclude(is_superuser=True)
            kwargs["widget"] = UnfoldAdminSelect2Widget()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    # -- columns -----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        places = MemberDepartment.objects.select_related("department").order_by("-order", "pk")
        rows: QuerySet[Member] = super().get_queryset(request)
        return rows.prefetch_related(Prefetch("places", places))

    @admin.display(description=_("departments"))
    def places_shown(self, member: Member) -> str:
        """The main one first."""
        places = sorted(member.places.all(), key=lambda place: place.department.remote_id != member.main_department)
        return str(_(", ")).join(
            str(_("%(department)s (leader)")) % {"department": place.department}
            if place.is_leader
            else str(place.department)
            for place in places
        )

    @display(description=_("state"), label=STATUS_TONES)
    def state(self, member: Member) -> tuple[str, Any] | str:
        if member.deleted_at:
            return "gone", _("Gone")
        return (str(member.status), member.get_status_display()) if member.status else ""  # type: ignore[attr-defined]

    @admin.display(description=_("staff user"), ordering="user")
    def staff_user(self, member: Member) -> str:
        if member.user_id is None and member.suggested_user_id is not None:
            return str(_("%(user)s?")) % {"user": member.suggested_user}
        return str(member.user or "")
