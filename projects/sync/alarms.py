"""The incidents of a source: its runs fail, or its brake held one. They last until a run succeeds, and none will when
the source is switched off, renamed or deleted; then they end with it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from notifications.alert_rules import SYNC_BRAKE, SYNC_FAILED
from notifications.incidents import resolve_incident
from notifications.models import Incident
from projects.models import RemoteSource


@receiver([post_save, post_delete], sender=RemoteSource, dispatch_uid="projects.end_alarms_without_source")
def _source_changed(sender: type[RemoteSource], **_kwargs: Any) -> None:
    end_without_source()


def end_without_source() -> int:
    """Resolve what is open about sources that nobody reads any more; returns how many incidents that were."""
    about = Q()
    for prefix in (SYNC_FAILED, SYNC_BRAKE):
        about |= Q(key__startswith=prefix)
    keys = list(Incident.objects.filter(about, resolved_at=None).values_list("key", flat=True))
    if not keys:
        return 0
    read = set(RemoteSource.objects.filter(enabled=True).values_list("slug", flat=True))
    return sum(resolve_incident(key) for key in keys if key.partition(":")[2] not in read)
