"""Colours and small pieces of the projects' pages."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.models import AccessOutcome, ProjectStatus, RunStatus

STATUS_TONES = {
    ProjectStatus.PENDING.value: "default",
    ProjectStatus.PROCESSING.value: "info",
    ProjectStatus.RESOLVED.value: "success",
    ProjectStatus.SHIPPED.value: "info",
    ProjectStatus.COMPLETED.value: "success",
}
RUN_TONES = {
    RunStatus.PENDING.value: "info",
    RunStatus.RUNNING.value: "info",
    RunStatus.SUCCESS.value: "success",
    RunStatus.PARTIAL.value: "warning",
    RunStatus.FAILED.value: "danger",
}
LINK_TONES = {"valid": "success", "expiring": "warning", "expired": "default", "revoked": "danger"}
OUTCOME_TONES = {
    outcome.value: "success" if outcome == AccessOutcome.ALLOWED else "danger" for outcome in AccessOutcome
} | {AccessOutcome.EXPIRED.value: "warning", AccessOutcome.THROTTLED.value: "warning"}


def page_of(obj: Any) -> str:
    """Address of an object's page in admin."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def link_to(obj: Any, text: str = "") -> SafeString | str:
    """A link to an object's page; nothing for None."""
    if obj is None:
        return ""
    return format_html('<a class="text-link" href="{}">{}</a>', page_of(obj), text or obj)
