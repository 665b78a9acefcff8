"""One open incident per trouble: opened when it is seen, counted while it lasts, resolved when it is over.

The alert addresses are told in the same transaction (``notifications.alerts``): once when it opens, once when it ends.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation

from notifications import alerts
from notifications.models import Incident
from notifications.phrases import Phrase, Said

logger = structlog.get_logger(__name__)

LONGEST_TITLE = 200


def raise_incident(key: str, *, title: Said, detail: Said = "", remedy: Said = "") -> Incident:
    """Open the incident ``key``, or count it once more if it is open.

    Words that are a ``Phrase`` are read by each person in their own language, plain texts as they were written.
    """
    written = _written(title=title, detail=detail, remedy=remedy)
    with transaction.atomic():
        opened, created = Incident.objects.get_or_create(key=key, resolved_at=None, defaults=written)
        if not created:
            written.pop("title")
            _count(opened.pk, words={**opened.words, **written.pop("words")}, **written)
            opened.refresh_from_db()
        alerts.tell_opened(opened)
    if created:
        logger.warning("incident_opened", key=key, title=opened.title)
    return opened


def count_incident(key: str) -> None:
    """It was seen once more; nothing new is to be said."""
    for pk in Incident.objects.filter(key=key, resolved_at=None).values_list("pk", flat=True):
        _count(pk)


def renew_incident(incident: Incident, *, detail: Said, remedy: Said) -> None:
    """It still lasts, and this is how it looks now. Not counted; written only if something changed."""
    written = _written(detail=detail, remedy=remedy)
    words = {**incident.words, **written.pop("words")}
    if (incident.detail, incident.remedy, incident.words) != (written["detail"], written["remedy"], words):
        Incident.objects.filter(pk=incident.pk).update(**written, words=words, seen_at=timezone.now())


def resolve_incident(key: str) -> bool:
    """Close the incident ``key`` if it is open; returns whether it was."""
    incident = Incident.objects.filter(key=key, resolved_at=None).first()
    if incident is None:
        return False
    with transaction.atomic():
        incident.resolved_at = timezone.now()
        if not Incident.objects.filter(pk=incident.pk, resolved_at=None).update(resolved_at=incident.resolved_at):
            return False
        alerts.tell_resolved(incident)
    logger.info("incident_resolved", key=key)
    return True


def _written(**said: Said) -> dict[str, Any]:
    """The columns: in the site's language, beside what is needed to say it in others."""
    with translation.override(settings.LANGUAGE_CODE):
        columns: dict[str, Any] = {part: str(text) for part, text in said.items()}
    if "title" in columns:
        columns["title"] = columns["title"][:LONGEST_TITLE]
    words = {part: text.as_json() if isinstance(text, Phrase) else None for part, text in said.items()}
    return {**columns, "words": words}


def _count(pk: int, **changes: Any) -> None:
    Incident.objects.filter(pk=pk).update(times=F("times") + 1, seen_at=timezone.now(), **changes)
