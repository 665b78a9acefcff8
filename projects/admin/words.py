"""Colours and small pieces of the projects' pages."""

from __future__ import annotations

from projects.models import AccessOutcome, ProjectStatus

STATUS_TONES = {
    ProjectStatus.PENDING.value: "default",
    ProjectStatus.PROCESSING.value: "info",
    ProjectStatus.RESOLVED.value: "success",
    ProjectStatus.SHIPPED.value: "info",
    ProjectStatus.COMPLETED.value: "success",
}
LINK_TONES = {"valid": "success", "expiring": "warning", "expired": "default", "revoked": "danger"}
OUTCOME_TONES = {
    outcome.value: "success" if outcome == AccessOutcome.ALLOWED else "danger" for outcome in AccessOutcome
} | {AccessOutcome.EXPIRED.value: "warning", AccessOutcome.THROTTLED.value: "warning"}
