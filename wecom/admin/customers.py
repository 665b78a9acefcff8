"""Customers, who of us knows them, and the company's tags in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from config.facts_admin import FactsAdmin
from config.phones import masked
from wecom.admin.filters import PresenceFilter, TagFilter
from wecom.models import ExternalContact, Follower, Tag, TagGroup

SEE_PHONES = "wecom.view_customer_phone"
SHOWN = 3
"""Followers named in a list."""


def names(tags: Any) -> str:
    return str(_(", ")).join(str(tag) for tag in tags if tag.deleted_at is None)


def name_of(follower: Follower) -> str:
    return follower.member.name if follower.member else follower.userid


class FactsInline(TabularInline):
    """Rows of a page of facts: whoever sees the page sees them, nobody edits them."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class FollowerInline(FactsInline):
    model = Follower
    fields = ("who", "remark", "description", "phones", "tags_shown", "since", "deleted_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Follower]:
        rows: QuerySet[Follower] = super().get_queryset(request)
        self.sees_phones = request.user.has_perm(SEE_PHONES)
        return rows.select_related("member", "customer").prefetch_related("tags")

    @admin.display(description=_("member"))
    def who(self, follower: Follower) -> str:
        return name_of(follower)

    @admin.display(description=_("phones by remark"))
    def phones(self, follower: Follower) -> str:
        numbers = map(str, follower.remark_mobiles or ())
        return str(_(", ")).join(numbers if self.sees_phones else map(masked, numbers))

    @admin.display(description=_("tags"))
    def tags_shown(self, follower: Follower) -> str:
        return names(follower.tags.all())


@admin.register(ExternalContact)
class ExternalContactAdmin(FactsAdmin):
    list_display = ("__str__", "type", "corp_name", "followed_by", "tagged", "synced_at", "deleted_at")
    list_filter = (PresenceFilter, TagFilter, ("type", ChoicesDropdownFilter), ("config", RelatedDropdownFilter))
    search_fields = ("name", "=external_userid", "corp_name")
    search_help_text = _("Name, company or customer's ID")
    inlines = (FollowerInline,)
    fieldsets = (
        (None, {"fields": (("name", "type"), ("corp_name", "corp_full_name"), ("position", "gender"))}),
        (None, {"fields": (("external_userid", "unionid"), ("config", "synced_at", "deleted_at"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExternalContact]:
        current = Follower.objects.filter(deleted_at=None).select_related("member").prefetch_related("tags")
        rows: QuerySet[ExternalContact] = super().get_queryset(request)
        return rows.select_related("config").prefetch_related(Prefetch("followers", current, to_attr="current"))

    @admin.display(description=_("followers"))
    def followed_by(self, customer: ExternalContact) -> str:
        current: list[Follower] = customer.current  # type: ignore[attr-defined]
        shown = str(_(", ")).join(map(name_of, current[:SHOWN]))
        if len(current) <= SHOWN:
            return shown
        return str(_("%(names)s and %(count)d more")) % {"names": shown, "count": len(current) - SHOWN}

    @admin.display(description=_("tags"))
    def tagged(self, customer: ExternalContact) -> str:
        current: list[Follower] = customer.current  # type: ignore[attr-defined]
        found = {tag.pk: tag for follower in current for tag in follower.tags.all()}
        return names(found.values())


class TagInline(FactsInline):
    model = Tag
    fields = ("name", "tag_id", "order", "deleted_at")
    readonly_fields = fields


@admin.register(TagGroup)
class TagGroupAdmin(FactsAdmin):
    list_display = ("name", "tags_shown", "config", "deleted_at")
    list_select_related = ("config",)
    list_filter = (PresenceFilter, ("config", RelatedDropdownFilter))
    search_fields = ("name", "tags__name")
    inlines = (TagInline,)
    fields = (("name", "group_id"), ("config", "order", "deleted_at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[TagGroup]:
        rows: QuerySet[TagGroup] = super().get_queryset(request)
        return rows.prefetch_related("tags")

    @admin.display(description=_("tags"))
    def tags_shown(self, group: TagGroup) -> str:
        return names(group.tags.all())
