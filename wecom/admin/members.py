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

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":  # not an autocomplete: that would demand the right to see all users
            kwargs["queryset"] = get_user_model().objects.filter(is_staff=True).order_by("username")
            kwargs["widget"] = UnfoldAdminSelect2Widget()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
