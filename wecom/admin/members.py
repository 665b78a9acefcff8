"""Who is who in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelect2Widget

from wecom.models import Member


@admin.register(Member)
class MemberAdmin(ModelAdmin):
    list_display = ("name", "userid", "user", "config")
    list_select_related = ("user", "config")
    list_filter = (("config", RelatedDropdownFilter), ("user", admin.EmptyFieldListFilter))
    search_fields = ("name", "userid", "user__username")
    fields = ("config", "userid", "name", "user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    @staticmethod
    def _may_touch(request: HttpRequest, member: Member | None) -> bool:
        """The link is a key: whoever set a superuser's could log in as that superuser with their own WeCom."""
        linked = member.user if member else None
        return linked is None or request.user.is_superuser or not linked.is_superuser

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":  # not an autocomplete: that would demand the right to see all users
            users = get_user_model().objects.filter(is_staff=True).order_by("username")
            kwargs["queryset"] = users if request.user.is_superuser else users.exclude(is_superuser=True)
            kwargs["widget"] = UnfoldAdminSelect2Widget()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
