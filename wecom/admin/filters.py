"""What people look for in the directory."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from wecom.models import Tag

MOST_TAGS = 500


class PresenceFilter(DropdownFilter):
    """Whether WeCom still lists it."""

    title = _("in WeCom")
    parameter_name = "presence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("current", _("Current")), ("gone", _("Gone"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "current":
                return queryset.filter(deleted_at=None)
            case "gone":
                return queryset.exclude(deleted_at=None)
        return queryset


class LinkFilter(DropdownFilter):
    """Whether a member is a staff user here."""

    title = _("staff user")
    parameter_name = "link"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("linked", _("Linked")),
            ("suggested", _("Suggested: waits for a person's word")),
            ("none", _("Neither")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "linked":
                return queryset.filter(user__isnull=False)
            case "suggested":
                return queryset.filter(user=None, suggested_user__isnull=False)
            case "none":
                return queryset.filter(user=None, suggested_user=None)
        return queryset


class TagFilter(DropdownFilter):
    """Customers that one of us has given a tag."""

    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        tags = Tag.objects.filter(deleted_at=None).select_related("group").order_by("group__name", "name")
        return [(str(tag.pk), f"{tag.group} · {tag}") for tag in tags[:MOST_TAGS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value or not value.isdecimal():
            return queryset
        tagged = Tag.follows.through.objects.filter(tag_id=int(value), follower__deleted_at=None)
        return queryset.filter(pk__in=tagged.values("follower__customer"))
