"""What people are told about projects: the events, their words, and who hears of them.

Written in the transaction of what happened; sending is the queue's business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.announce import Occasion, announce
from notifications.events import Event, Variable, register_event
from notifications.models import Notification
from notifications.quiet import quiet_until
from projects import message_texts
from projects.document import format_time, zone_of
from projects.message_texts import CHANNELS
from projects.models import (
    ProjectCache,
    ProjectStatus,
    ProjectStatusChange,
    ProjectSyncConfig,
    ProjectType,
    Role,
    TimeDisplayConfig,
)
from projects.stakeholders import HasStakeholders, members_among, recipients_of

STATUS_CHANGED = "project.status_changed"
LINK_REQUESTED = "project.link_requested"
EVENTS = (STATUS_CHANGED, LINK_REQUESTED)
ABOUT = "project-change:"
"""With a change's number: what ``Notification.about`` says of the messages about it."""
Facts = Mapping[str, str | Promise]


@dataclass(frozen=True, slots=True)
class Change:
    """A saved status change, and the project as it is now."""

    row: ProjectStatusChange
    project: HasStakeholders


def tell_changes(changes: Sequence[Change]) -> None:
    """Write the notifications about ``changes`` and note on each row how many; in the caller's transaction.

    A constant number of queries. Nothing when the synchronisation settings say that nobody is told.
    """
    config = ProjectSyncConfig.load()
    if not changes or not config.notify_on_change:
        return
    display, members = TimeDisplayConfig.load(), members_among(change.project for change in changes)
    occasions = [
        Occasion(
            key=str(change.row.pk),
            about=f"{ABOUT}{change.row.pk}",
            recipients=recipients_of(change.project, members),
            facts=change_facts(change.row, display),
        )
        for change in changes
    ]
    counts = announce(STATUS_CHANGED, occasions, channels=config.notify_channels)
    for change in changes:
        change.row.notices = counts[str(change.row.pk)]
    told = [change.row for change in changes if change.row.notices]
    if told:
        ProjectStatusChange.objects.bulk_update(told, ["notices"])


def tell_link_requested(project: ProjectCache, *, user_id: str, user_name: str, access_type: str) -> int:
    """The salesman is told that somebody whose link has expired asks for a new one, once a day; returns the number of
    messages written."""
    now = timezone.now()
    occasion = Occasion(
        key=_request_key(project.pk, user_id, user_name, access_type, now),
        about=f"project:{project.pk}",
        recipients=[person for person in recipients_of(project) if person.role == Role.SALESMAN],
        facts={
            "project_id": project.remote_id,
            "title": project.title,
            "customer": project.customer_name,
            "person": user_name,
            "role": Role(access_type).label,
            "time": _time(now, project.type, TimeDisplayConfig.load()),
            "address": _admin_address(project),
        },
    )
    return announce(LINK_REQUESTED, [occasion], channels=ProjectSyncConfig.load().notify_channels)[occasion.key]


def link_was_requested(project_pk: int, *, user_id: str, user_name: str, access_type: str) -> bool:
    """Whether the salesman has been told today that this person asks for a new link."""
    key = _request_key(project_pk, user_id, user_name, access_type, timezone.now())
    return Notification.objects.filter(key__startswith=f"{LINK_REQUESTED}:{key}:").exists()


def _request_key(project_pk: int, user_id: str, user_name: str, access_type: str, now: datetime) -> str:
    digest = hashlib.sha256(f"{access_type}:{user_id}:{user_name}".encode()).hexdigest()[:16]
    return f"{project_pk}:{digest}:{timezone.localdate(now):%Y%m%d}"


def change_facts(row: ProjectStatusChange, display: TimeDisplayConfig) -> Facts:
    return {
        "project_id": row.remote_id,
        "title": row.title,
        "type": ProjectType(row.type).label,
        "old_status": ProjectStatus(row.old_status).label,
        "new_status": ProjectStatus(row.new_status).label,
        "time": _time(row.at, row.type, display),
    }


def _time(moment: datetime, kind: str, display: TimeDisplayConfig) -> str:
    after_sales = kind == ProjectType.AFTERSALES
    pattern = display.aftersales_time_format if after_sales else display.sales_time_format
    return format_time(moment, pattern, display.timezone)


def _admin_address(project: ProjectCache) -> str:
    return settings.API_BASE_URL + reverse("admin:projects_projectcache_change", args=[project.pk])


def _latest_change() -> Facts | None:
    row = ProjectStatusChange.objects.first()
    return change_facts(row, TimeDisplayConfig.load()) if row else None


def _quiet(now: datetime) -> datetime | None:
    """Quiet hours are those of a clock where the projects' times are shown."""
    config = ProjectSyncConfig.load()
    return quiet_until(now, config.quiet_from, config.quiet_until, zone_of(TimeDisplayConfig.load().timezone))


_PROJECT = (
    Variable("project_id", _("project ID"), "P-2026-0042"),
    Variable("title", _("title"), _("Pumps for hall 3")),
)


def register() -> None:
    """Make the events known; called when the app is ready."""
    register_event(
        Event(
            STATUS_CHANGED,
            label=_("A project's status has changed"),
            variables=(
                *_PROJECT,
                Variable("type", _("type"), ProjectType.SALES.label),
                Variable("old_status", _("old status"), ProjectStatus.PENDING.label),
                Variable("new_status", _("new status"), ProjectStatus.SHIPPED.label),
                Variable("time", _("time"), "2026-02-02 15:30"),
            ),
            channels=CHANNELS,
            defaults=message_texts.STATUS_CHANGED,
            example=_latest_change,
            roles=dict(Role.choices),
            quiet=_quiet,
        )
    )
    register_event(
        Event(
            LINK_REQUESTED,
            label=_("Somebody asks for a new project link"),
            variables=(
                *_PROJECT,
                Variable("customer", _("customer"), _("East China Machinery")),
                Variable("person", _("person"), _("Ms Zhou")),
                Variable("role", _("role"), Role.CUSTOMER.label),
                Variable("time", _("time"), "2026-02-02 15:30"),
                Variable(
                    "address", _("address in admin"), "https://quotes.example.com/admin/projects/projectcache/42/"
                ),
            ),
            channels=CHANNELS,
            defaults=message_texts.LINK_REQUESTED,
            roles=dict(Role.choices),
            quiet=_quiet,
        )
    )
