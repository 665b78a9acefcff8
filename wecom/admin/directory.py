"""The company's departments in the admin: a list in the order of the tree, each below its parent."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.views import ChangeList

from config.facts_admin import FactsAdmin
from wecom.admin.filters import PresenceFilter
from wecom.directory import names_of
from wecom.directory_tree import Tree
from wecom.models import Department

INDENT = "    "


class TreeList(ChangeList):
    """Rows in the order of the tree. Each has ``depth`` and ``heads``, the names of its leaders."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        places = Tree.load().places()
        keys = [pk for pk in self.queryset.order_by().values_list("pk", flat=True) if pk in places]
        keys.sort(key=lambda pk: places[pk])
        if self.multi_page and not self.show_all:
            first = (self.page_num - 1) * self.list_per_page
            keys = keys[first : first + self.list_per_page]
        rows = self.queryset.in_bulk(keys)
        names = names_of(userid for row in rows.values() for userid in row.leaders)
        for pk, row in rows.items():
            row.depth = places[pk][1]
            row.heads = heads_of(row, names)
        self.result_list = [rows[pk] for pk in keys if pk in rows]


def heads_of(department: Department, names: dict[str, str]) -> str:
    return str(_(", ")).join(names.get(userid.casefold(), userid) for userid in department.leaders)


@admin.register(Department)
class DepartmentAdmin(FactsAdmin):
    list_display = ("branch", "remote_id", "head", "people", "config", "deleted_at")
    list_select_related = ("config",)
    list_filter = (PresenceFilter, ("config", RelatedDropdownFilter))
    list_per_page = 100
    search_fields = ("name", "name_en", "=remote_id")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": (("name", "name_en"), ("way", "remote_id"), ("head", "people"), ("config", "origin"))}),
        (None, {"fields": (("order", "synced_at", "deleted_at"),)}),
    )
    readonly_fields = ("way", "head", "people")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Department]:
        current = Count("places", filter=Q(places__member__deleted_at=None))
        rows: QuerySet[Department] = super().get_queryset(request).select_related("config").annotate(current=current)
        return rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TreeList

    @admin.display(description=_("name"))
    def branch(self, department: Department) -> SafeString:
        return format_html('<span class="qb-branch">{}</span>{}', INDENT * department.depth, str(department))  # type: ignore[attr-defined]

    @admin.display(description=_("leaders"))
    def head(self, department: Department) -> str:
        heads = getattr(department, "heads", None)
        return heads_of(department, names_of(department.leaders)) if heads is None else heads

    @admin.display(description=_("members"))
    def people(self, department: Department) -> SafeString | int:
        current: int = department.current  # type: ignore[attr-defined]
        if not current:
            return 0
        url = f"{reverse('admin:wecom_member_changelist')}?departments__id__exact={department.pk}&presence=current"
        return format_html('<a class="text-link" href="{}">{}</a>', url, current)

    @admin.display(description=_("place"))
    def way(self, department: Department) -> str:
        return " / ".join(Tree.load().way(department))
