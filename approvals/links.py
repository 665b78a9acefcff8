"""Addresses of the pages for the phone, as cards and texts lead to them (``approvals.mobile``)."""

from __future__ import annotations

from django.conf import settings


def page(instance_id: int) -> str:
    """One approval, to read and to decide."""
    return f"{settings.API_BASE_URL}/m/approvals/{instance_id}"


def reject(instance_id: int) -> str:
    """Where the reason for a rejection is written."""
    return f"{page(instance_id)}/reject"


def start(instance_id: int) -> str:
    """Where the applicant starts the approval in WeCom's own flow engine."""
    return f"{page(instance_id)}/start"
