"""Cards on phones: who has which, what it shows, whom it did not reach. Never the codes that change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from approvals.admin.words import CARD_TONES
from approvals.models import ApprovalCard, ApprovalInstance
from approvals.visibility import visible_to
from config.facts_admin import DayRangeFilter, FactsAdmin
from wecom.directory import names_of


def cards_of(instance: ApprovalInstance) -> list[dict[str, Any]]:
    """The cards of one approval for its page, oldest first."""
    cards = list(instance.cards.order_by("pk"))
    if not cards:
        return []
    names = names_of((userid for card in cards for userid in card.userids), config_id=instance.config_id)
    return [
        {
            "card": card,
            "tone": CARD_TONES[card.state],
            "who": _named(card.userids, names),
            "not_reached": _named(card.not_reached, names),
        }
        for card in cards
    ]


def _named(userids: list[str], names: Mapping[str, str]) -> list[str]:
    return [names.get(userid.casefold(), userid) for userid in userids]


@admin.register(ApprovalCard)
class ApprovalCardAdmin(FactsAdmin):
    list_display = ("approval", "step", "recipients", "state_badge", "missed", "sent_at", "changed_at")
    list_select_related = ("instance",)
    list_filter = (("state", ChoicesDropdownFilter), ("sent_at", DayRangeFilter), ("changed_at", DayRangeFilter))
    search_fields = ("instance__third_no", "task_id", "userids")
    search_help_text = _("Our number, task ID or userid")
    ordering = ("-id",)
    fields = (
        ("approval", "step"),
        ("recipients", "missed"),
        ("state", "replaces"),
        ("created_at", "sent_at"),
        ("changed_at", "task_id"),
    )
    readonly_fields = ("approval", "step", "recipients", "missed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalCard]:
        seen = visible_to(request.user, ApprovalInstance.objects.all())
        rows = super().get_queryset(request).select_related("instance").defer("instance__snapshot")
        return rows.filter(instance__in=seen)

    @admin.display(description=_("approval"), ordering="instance")
    def approval(self, card: ApprovalCard) -> SafeString:
        url = reverse("admin:approvals_approvalinstance_change", args=[card.instance_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, card.instance)

    @admin.display(description=_("step"), ordering="node")
    def step(self, card: ApprovalCard) -> int:
        return card.node + 1

    @admin.display(description=_("recipients"))
    def recipients(self, card: ApprovalCard) -> str:
        return ", ".join(card.userids)

    @admin.display(description=_("not reached"))
    def missed(self, card: ApprovalCard) -> str:
        return ", ".join(card.not_reached)

    @display(description=_("state"), ordering="state", label=CARD_TONES)
    def state_badge(self, card: ApprovalCard) -> tuple[str, str]:
        return card.state, card.get_state_display()
