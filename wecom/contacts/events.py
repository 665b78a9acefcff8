"""From a stored callback about contacts to what it changes here. Database only: the inbox talks to nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wecom.contacts import customers, departments, members, tags
from wecom.contacts.event import IGNORED, STALE, UNSYNCHRONISED, ContactEvent
from wecom.models import DIRECTORY_APPLIED, CallbackEvent, DirectoryRunStatus, DirectorySyncRun, DirectoryType
from wecom.reading import folded

CLOCKS_DIFFER = timedelta(minutes=5)
"""A callback this much older than a run was seen by it, whatever the difference between WeCom's clock and ours."""


@dataclass(frozen=True, slots=True)
class Handler:
    """``apply`` returns the outcome; ``late`` does so when a run has seen what came of the change. ``sync_type``: of
    such a run."""

    sync_type: DirectoryType
    apply: Callable[[ContactEvent], str]
    late: Callable[[ContactEvent], str] = lambda _event: STALE


_MEMBER, _DEPARTMENT, _CUSTOMER = DirectoryType.USER, DirectoryType.DEPARTMENT, DirectoryType.CUSTOMER

HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    "change_contact": {
        "create_user": Handler(_MEMBER, members.changed),
        "update_user": Handler(_MEMBER, members.changed, late=members.renamed_long_ago),
        "delete_user": Handler(_MEMBER, members.deleted),
        "create_party": Handler(_DEPARTMENT, departments.changed),
        "update_party": Handler(_DEPARTMENT, departments.changed),
        "delete_party": Handler(_DEPARTMENT, departments.deleted),
    },
    "change_external_contact": {
        "add_external_contact": Handler(_CUSTOMER, customers.added),
        "add_half_external_contact": Handler(_CUSTOMER, customers.added),
        "edit_external_contact": Handler(_CUSTOMER, customers.edited),
        "del_external_contact": Handler(_CUSTOMER, customers.given_up_by_member),
        # a run cannot tell of these two, so that none is too late
        "del_follow_user": Handler(_CUSTOMER, customers.removed_by_customer, late=customers.removed_by_customer),
        "transfer_fail": Handler(_CUSTOMER, customers.transfer_failed, late=customers.transfer_failed),
    },
    "change_external_tag": {
        "create": Handler(_CUSTOMER, tags.changed),
        "update": Handler(_CUSTOMER, tags.changed),
        "shuffle": Handler(_CUSTOMER, tags.changed),
        "delete": Handler(_CUSTOMER, tags.deleted),
    },
}
"""By event and change type. Others of these events (``update_tag``) are none of our business."""


def handle(row: CallbackEvent, doc: Mapping[str, Any]) -> str:
    """Apply one callback; returns its outcome. The effect belongs to the caller's transaction."""
    handler = HANDLERS[row.event].get(row.change_type)
    if handler is None:
        return IGNORED
    runs = DirectorySyncRun.objects.filter(config=row.config_id, sync_type__in=(handler.sync_type, DirectoryType.FULL))
    if not runs.filter(status__in=DIRECTORY_APPLIED).exists():
        return UNSYNCHRONISED
    event = ContactEvent(row, folded(doc), row.event_time or row.created_at)
    # a partial run has not read everybody, so it makes nothing old
    since = runs.filter(status=DirectoryRunStatus.SUCCESS, started_at__gt=event.at + CLOCKS_DIFFER)
    return handler.late(event) if since.exists() else handler.apply(event)
