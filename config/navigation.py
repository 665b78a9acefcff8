"""The admin's sidebar: what people work with, grouped by who works with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

OVERSEES = (
    "approvals.view_all_quotes",
    "approvals.manage_all_quotes",
    "approvals.decide_any_approval",
    "approvals.close_conflict",
)
"""Whose work is other people's approvals, and with that their conflicts."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the sidebar: a model's list, or a part of it."""

    model: str
    icon: str
    title: str | Promise = ""
    """Instead of the model's name."""
    query: str = ""
    """Filter of the list."""
    rights: tuple[str, ...] = ()
    """Any of them is needed besides the right to see the list."""
    page: str = ""
    """Another page of the model's admin (the name of its URL) instead of the list."""


GROUPS: list[tuple[Promise, list[Entry]]] = [
    (
        _("Quotes and approvals"),
        [
            Entry("approvals.Quote", "request_quote"),
            Entry("approvals.ApprovalInstance", "approval"),
            Entry("approvals.ApprovalInstance", "balance", _("Conflicts"), "conflict__exact=1", OVERSEES),
            Entry("approvals.Batch", "checklist"),
            Entry("approvals.ApprovalTimeline", "history"),
            Entry("approvals.ApprovalRule", "rule"),
            Entry("approvals.ApprovalTemplate", "dynamic_form"),
        ],
    ),
    (
        _("WeCom"),
        [
            Entry("wecom.WeComConfig", "hub"),
            Entry("wecom.Department", "account_tree", query="presence=current"),
            Entry("wecom.Member", "badge", query="presence=current"),
            Entry("wecom.ExternalContact", "contacts", query="presence=current"),
            Entry("wecom.TagGroup", "sell", query="presence=current"),
            Entry("wecom.DirectorySyncRun", "sync"),
            Entry("wecom.DirectorySyncRun", "speed", _("Quota"), page="wecom_directorysyncrun_quota"),
            Entry("wecom.CallbackEvent", "inbox"),
            Entry("wecom.ContactRefresh", "person_search"),
            Entry("wecom.RefusedCallback", "block"),
            Entry("approvals.ApprovalCard", "smartphone"),
            Entry("approvals.SyncOperation", "outbox"),
        ],
    ),
    (
        _("Projects"),
        [
            Entry("projects.ProjectCache", "folder_shared"),
            Entry("projects.ProjectStatusChange", "change_circle"),
            Entry("projects.ProjectAccessToken", "link"),
            Entry("projects.ProjectAccessLog", "visibility"),
            Entry("projects.ProjectSyncHistory", "sync"),
            Entry(
                "projects.ProjectSyncHistory",
                "bar_chart",
                _("Statistics"),
                page="projects_projectsynchistory_statistics",
            ),
            Entry("projects.RemoteSource", "cloud"),
            Entry("projects.ProjectSyncConfig", "tune"),
            Entry("projects.TimeDisplayConfig", "schedule"),
        ],
    ),
    (
        _("Messages and alerts"),
        [
            Entry("notifications.Notification", "mail"),
            Entry("notifications.MessageTemplate", "edit_note"),
            Entry("notifications.Incident", "warning"),
            Entry("notifications.AlertRule", "notifications_active"),
            Entry("notifications.AlertAddress", "campaign"),
        ],
    ),
    (
        _("Operations"),
        [
            Entry("django_celery_beat.PeriodicTask", "schedule"),
            Entry("admin.LogEntry", "history_edu"),
        ],
    ),
    (
        _("People and access"),
        [
            Entry("auth.User", "person"),
            Entry("auth.Group", "group"),
            Entry("knox.AuthToken", "key"),
            Entry("axes.AccessAttempt", "lock_person"),
        ],
    ),
]


def favicon(request: HttpRequest) -> str:
    return static("config/favicon.svg")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """UNFOLD's navigation for this user: only pages that exist and that the user may see."""
    groups = [
        {
            "title": title,
            "separator": True,
            "items": [item for entry in entries if (item := _item(request, entry))],
        }
        for title, entries in GROUPS
    ]
    return [group for group in groups if group["items"]]


def _pages() -> set[str]:
    return {reverse(f"admin:{entry.page}") for _title, entries in GROUPS for entry in entries if entry.page}


def _item(request: HttpRequest, entry: Entry) -> dict[str, Any] | None:
    try:
        model = apps.get_model(entry.model)
    except LookupError:
        return None
    model_admin = admin.site._registry.get(model)
    if model_admin is None or not model_admin.has_view_or_change_permission(request):
        return None
    if entry.rights and not any(map(request.user.has_perm, entry.rights)):
        return None
    meta = model._meta
    path = reverse(f"admin:{entry.page or f'{meta.app_label}_{meta.model_name}_changelist'}")
    item: dict[str, Any] = {
        "title": entry.title or capfirst(str(meta.verbose_name_plural)),
        "icon": entry.icon,
        "link": path,
    }
    if entry.page or request.path in _pages():  # below the list's address, which would be marked as open, too
        item["active"] = path == request.path
    if entry.query:  # marked as open only with its filter; otherwise it would be whenever the whole list is
        item |= {"link": f"{path}?{entry.query}", "active": f"{path}?{entry.query}" == request.get_full_path()}
    return item
