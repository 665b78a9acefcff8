"""One open incident per trouble: opened when it is seen, counted while it lasts, resolved when it is over."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from notifications.models import Incident

logger = structlog.get_logger(__name__)


def raise_incident(key: str, *, title: str, detail: str = "", remedy: str = "") -> Incident:
    """Open the incident ``key``, or count it once more if it is open."""
    with transaction.atomic():
        opened, created = Incident.objects.get_or_create(
            key=key, resolved_at=None, defaults={"title": title[:200], "detail": detail, "remedy": remedy}
        )
        if not created:
            Incident.objects.filter(pk=opened.pk).update(
                times=F("times") + 1, detail=detail, remedy=remedy, seen_at=timezone.now()
            )
    if created:
        logger.warning("incident_opened", key=key, title=title)
    return opened


def resolve_incident(key: str) -> bool:
    """Close the incident ``key`` if it is open; returns whether it was."""
    closed = Incident.objects.filter(key=key, resolved_at=None).update(resolved_at=timezone.now())
    if closed:
        logger.info("incident_resolved", key=key)
    return bool(closed)
