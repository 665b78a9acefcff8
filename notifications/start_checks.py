"""What web and workers find wrong with the database when they start, such as keys that do not open it, becomes an
incident: the line in the log is read by nobody until something fails. It ends when a process starts that finds it well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage
from django.dispatch import receiver

from config.checks import checked_at_start
from notifications.incidents import raise_incident, resolve_incident
from notifications.models import Incident

PREFIX = "start-check:"


@receiver(checked_at_start, dispatch_uid="notifications.tell_start_checks")
def tell_start_checks(found: Sequence[CheckMessage], **_kwargs: Any) -> None:
    keys = {f"{PREFIX}{message.id}": message for message in found}
    for key, message in keys.items():
        raise_incident(key, title=str(message.msg)[:200], remedy=str(message.hint or ""))
    over = Incident.objects.filter(key__startswith=PREFIX, resolved_at=None).exclude(key__in=keys)
    for key in over.values_list("key", flat=True):
        resolve_incident(key)
