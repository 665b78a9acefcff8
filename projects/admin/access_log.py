"""Who looked, and who was turned away."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from config.facts_admin import DayRangeFilter, FactsAdmin
from projects.admin.words import OUTCOME_TONES
from projects.models import ProjectAccessLog


@admin.register(ProjectAccessLog)
class ProjectAccessLogAdmin(FactsAdmin):
    when_empty = _("Every look at a project through a link is noted here, and every refusal.")
    list_display = ("at", "remote_id", "person", "access_type", "outcome_badge", "door", "address", "user")
    list_select_related = ("user",)
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        ("door", ChoicesDropdownFilter),
        ("access_type", ChoicesDropdownFilter),
        ("at", DayRangeFilter),
    )
    search_fields = ("remote_id", "person")
    search_help_text = _("Project ID or person")
    fieldsets = (
        (None, {"fields": (("at", "outcome"), ("remote_id", "door"), ("person", "access_type"), "link")}),
        (_("From where"), {"fields": (("user", "address"), "agent")}),
    )
    readonly_fields = ("link",)

    @display(description=_("outcome"), ordering="outcome", label=OUTCOME_TONES)
    def outcome_badge(self, look: ProjectAccessLog) -> tuple[str, str]:
        return look.outcome, look.get_outcome_display()

    @admin.display(description=_("link"))
    def link(self, look: ProjectAccessLog) -> SafeString | str:
        if look.token_id is None:
            return "–"
        url = reverse("admin:projects_projectaccesstoken_change", args=[look.token_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, look.person or look.token_id)
