"""Quiet hours: when messages wait for the morning."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta, tzinfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.durable import Status, wake_on_commit
from notifications.models import Notification

QUIET_HOURS = _("Quiet hours.")
"""Why a message waits."""


def quiet_until(now: datetime, quiet_from: time | None, quiet_until: time | None, zone: tzinfo) -> datetime | None:
    """When the quiet hours that ``now`` (aware) falls into end, or None when it falls into none.

    The two times are those of a clock in ``zone``; ``quiet_from`` belongs to the hours, ``quiet_until`` no longer. Over
    midnight when the first is the later one. One missing, or both the same: there are no quiet hours. An end that the
    clock skips (summer time begins) is the moment it would have been; one that comes twice is the later one.
    """
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return None
    local = now.astimezone(zone)
    clock = local.time()
    over_midnight = quiet_from > quiet_until
    outside = quiet_until <= clock < quiet_from if over_midnight else not quiet_from <= clock < quiet_until
    if outside:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and clock >= quiet_from else 0)
    end = datetime.combine(day, quiet_until, tzinfo=zone)
    return max(end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def hours_changed(events: Collection[str]) -> int:
    """The quiet hours of ``events`` (names) are others now: whatever waits untried is looked at anew, and waits on for
    what still holds it, a rate for example. Returns how many those are."""
    now = timezone.now()
    waiting = Notification.objects.filter(event__in=events, status=Status.PENDING, next_attempt_at__gt=now)
    count = waiting.update(next_attempt_at=now, updated_at=now)
    if count:
        wake_on_commit(Notification)
    return count
