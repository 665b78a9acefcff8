"""Reading anew what callbacks have spoken of: a queue with one row for each thing, and a task that asks WeCom.

A row that is marked again while it is being read is read once more: marking takes the claim away, so that what was read
too early is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from config import draining, durable
from config.durable import Status
from wecom.client import WeComClient
from wecom.contacts.single import AllTags, OneCustomer, OneDepartment, OneMember
from wecom.contacts.telling import tell
from wecom.directory_sync.fetch import Answer, Reading
from wecom.directory_sync.parts import Part
from wecom.directory_sync.progress import Progress
from wecom.models import ContactRefresh, Department, DirectorySyncRun, RefreshKind

PARTS: Mapping[str, Callable[[Reading, str], Part]] = {
    RefreshKind.MEMBER: OneMember,
    RefreshKind.DEPARTMENT: OneDepartment,
    RefreshKind.CUSTOMER: OneCustomer,
    RefreshKind.TAGS: AllTags,
}


class Glance(Reading):
    """Asks once: patience is the queue's, not a worker's."""

    def ask(self, call: Callable[[WeComClient], Answer], client: WeComClient | None = None) -> Answer:
        return call(client or self.client)


def mark_due(config_id: int, kind: RefreshKind, subject: str = "") -> None:
    """Have it read from WeCom soon, once, however often it is marked. ``subject``: its ID there."""
    now = timezone.now()
    key = subject.lower() if kind == RefreshKind.MEMBER else subject  # userids compare folded
    row = ContactRefresh(
        key=f"{config_id}:{kind}:{key}",
        config_id=config_id,
        kind=kind,
        subject=subject,
        status=Status.PENDING,
        next_attempt_at=now,
        updated_at=now,
    )
    again = ("subject", "status", "attempts", "crashes", "next_attempt_at", "claim")
    ContactRefresh.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=[*again, "last_error", "updated_at", "finished_at"],
    )
    durable.wake_on_commit(ContactRefresh)


def process_due() -> int:
    """Read everything that is due; returns how many were attempted. For the worker."""
    return draining.drain(ContactRefresh, refresh)


def refresh(row: ContactRefresh) -> None:
    """Read one thing and write what differs. Raises what a call to WeCom raises."""
    if not row.config.enabled:
        return
    progress = Progress(DirectorySyncRun(config=row.config))
    part = PARTS[row.kind](Glance(row.config, progress, since=timezone.now()), row.subject)
    part.fetch()
    difference = part.compare()
    with transaction.atomic():
        now = timezone.now()
        part.apply(now)
        row.finish()
        for department in _nameless(row, since=now):
            mark_due(row.config_id, RefreshKind.DEPARTMENT, str(department))
        for change in ("created", "updated", "deleted"):
            if getattr(difference, change):
                tell(row.config_id, RefreshKind(row.kind), change, row.subject)


def _nameless(row: ContactRefresh, *, since: datetime) -> list[int]:
    """Departments that a member has just brought along: so far nothing but their number is known."""
    found = Department.objects.filter(config=row.config_id, synced_at=since, content_hash="", deleted_at=None)
    return list(found.values_list("remote_id", flat=True)) if row.kind == RefreshKind.MEMBER else []
