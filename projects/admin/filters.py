"""What operators look for among projects, links and changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from notifications.models import Notification
from projects.models import ProjectSyncConfig
from projects.telling import ABOUT

EXPIRING_COPY = timedelta(minutes=10)
EXPIRING_LINK = timedelta(days=2)


class AgeFilter(DropdownFilter):
    """How old a copy is; “expired” is a matter of the configuration."""

    title = _("age of the copy")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [
            ("expired", _("Expired: the next look refreshes it")),
            ("expiring", _("Expires within ten minutes")),
            ("gone", _("Gone from its library")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "expired":
                return queryset.expired(ProjectSyncConfig.load().ttl)  # type: ignore[attr-defined,no-any-return]
            case "expiring":
                ttl = ProjectSyncConfig.load().ttl
                return queryset.expiring(ttl, within=EXPIRING_COPY)  # type: ignore[attr-defined,no-any-return]
            case "gone":
                return queryset.filter(removed_at__isnull=False)
        return queryset


class LinkStateFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [
            ("valid", _("Valid")),
            ("expiring", _("Expires within two days")),
            ("expired", _("Expired")),
            ("revoked", pgettext_lazy("of a link", "Revoked")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "valid":
                return queryset.valid()  # type: ignore[attr-defined,no-any-return]
            case "expiring":
                return queryset.expiring(within=EXPIRING_LINK)  # type: ignore[attr-defined,no-any-return]
            case "expired":
                return queryset.expired()  # type: ignore[attr-defined,no-any-return]
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
        return queryset


class ToldFilter(DropdownFilter):
    """What became of the messages about a change."""

    title = _("messages")
    parameter_name = "messages"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [
            ("pending", _("Some are waiting to be sent")),
            ("dead", _("Some could not be sent")),
            ("none", _("Nobody was told")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "pending":
                return _told_by(queryset, Notification.objects.waiting())
            case "dead":
                return _told_by(queryset, Notification.objects.dead())
            case "none":
                return queryset.filter(notices=0)
        return queryset


def _told_by(changes: QuerySet[Any], messages: QuerySet[Notification]) -> QuerySet[Any]:
    """The ``changes`` that some of ``messages`` are about."""
    about = Concat(Value(ABOUT), Cast(OuterRef("pk"), CharField()))
    return changes.filter(Exists(messages.filter(about=about)), notices__gt=0)
