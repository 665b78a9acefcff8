"""What ``/metrics`` tells of messages and incidents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.dispatch import receiver
from django.utils import timezone
from prometheus_client.metrics_core import Metric

from config import durable
from config.durable import Status
from config.metrics import Counter, Histogram, gauge, register_source
from notifications.channels import CHANNELS
from notifications.models import Incident, Notification

_sent = Counter(
    "quotebridge_notifications",
    "Attempts to send a message, by channel and outcome; failed ones are repeated.",
    from_zero=True,
    channel=tuple(CHANNELS),
    outcome=(Status.SUCCEEDED.value, Status.FAILED.value, Status.DEAD.value),
)
_sent_after = Histogram(
    "quotebridge_notification_sent_after_seconds",
    "From the time that a message was written until its channel took it.",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 28_800),
    channel=tuple(CHANNELS),
)


@receiver(durable.rows_closed, sender=Notification)
def count(rows: Sequence[Notification], status: Status, **_kwargs: Any) -> None:
    now = timezone.now()
    for row in rows:
        _sent.add(row.channel, status.value)
        if status == Status.SUCCEEDED:
            _sent_after.observe((now - row.created_at).total_seconds(), row.channel)


def read_incidents() -> Iterator[Metric]:
    """One statement, over the partial index of the open ones."""
    count = Incident.objects.filter(resolved_at__isnull=True).count()
    yield gauge("incidents_open", "Incidents that nobody has resolved yet.", [((), count)])


register_source("notifications.incidents", read_incidents, lane="database")
