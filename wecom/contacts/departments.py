"""``change_contact``, departments (doc 90971)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from wecom.contacts.event import APPLIED, IGNORED, NOTED, UNCHANGED, ContactEvent
from wecom.contacts.refreshes import mark_due
from wecom.contacts.telling import tell
from wecom.models import Department, Origin, RefreshKind

LARGEST = 2**32 - 1
_NUMBERS = {"parentid": "parent_remote_id", "order": "order"}


def changed(event: ContactEvent) -> str:
    """``create_party`` and ``update_party``: as for members, what came along now, the rest when it is read."""
    remote_id = _number(event, "id")
    if not remote_id:
        return IGNORED
    mark_due(event.config_id, RefreshKind.DEPARTMENT, str(remote_id))
    department = _find(event, remote_id)
    if department is None:
        return NOTED
    told: dict[str, Any] = {
        name: number for tag, name in _NUMBERS.items() if (number := _number(event, tag)) is not None
    }
    if event.text("name"):
        told["name"] = event.text("name")[:128]
    changes = {name: value for name, value in told.items() if getattr(department, name) != value}
    if not changes:
        return NOTED
    Department.objects.filter(pk=department.pk).update(**changes, content_hash="", synced_at=timezone.now())
    tell(event.config_id, RefreshKind.DEPARTMENT, "updated", str(remote_id))
    return APPLIED


def deleted(event: ContactEvent) -> str:
    """``delete_party``."""
    remote_id = _number(event, "id")
    if not remote_id:
        return IGNORED
    mark_due(event.config_id, RefreshKind.DEPARTMENT, str(remote_id))
    department = _find(event, remote_id)
    if department is None:
        return UNCHANGED
    now = timezone.now()
    Department.objects.filter(pk=department.pk).update(deleted_at=now, synced_at=now)
    tell(event.config_id, RefreshKind.DEPARTMENT, "deleted", str(remote_id))
    return APPLIED


def _number(event: ContactEvent, tag: str) -> int | None:
    value = event.text(tag)
    usable = value.isascii() and value.isdigit() and len(value) < 11 and int(value) <= LARGEST
    return int(value) if usable else None


def _find(event: ContactEvent, remote_id: int) -> Department | None:
    rows = Department.objects.select_for_update().filter(config=event.config_id, remote_id=remote_id)
    return rows.filter(origin=Origin.WECOM, deleted_at=None).first()
