"""The admin's sidebar: what people work with, grouped by who works with it."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

GROUPS: list[tuple[Promise, list[tuple[str, str]]]] = [
    (
        _("Quotes and approvals"),
        [
            ("approvals.Quote", "request_quote"),
            ("approvals.ApprovalInstance", "approval"),
            ("approvals.ApprovalTimeline", "history"),
            ("approvals.ApprovalRule", "rule"),
            ("approvals.ApprovalTemplate", "dynamic_form"),
        ],
    ),
    (
        _("WeCom"),
        [
            ("wecom.WeComConfig", "hub"),
            ("wecom.Member", "badge"),
            ("wecom.CallbackEvent", "inbox"),
            ("wecom.RefusedCallback", "block"),
            ("approvals.SyncOperation", "outbox"),
        ],
    ),
    (
        _("Operations"),
        [
            ("notifications.Incident", "warning"),
            ("django_celery_beat.PeriodicTask", "schedule"),
            ("admin.LogEntry", "edit_note"),
        ],
    ),
    (
        _("People and access"),
        [
            ("auth.User", "person"),
            ("auth.Group", "group"),
            ("knox.AuthToken", "key"),
            ("axes.AccessAttempt", "lock_person"),
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
            "items": [item for label, icon in models if (item := _item(request, label, icon))],
        }
        for title, models in GROUPS
    ]
    return [group for group in groups if group["items"]]


def _item(request: HttpRequest, label: str, icon: str) -> dict[str, Any] | None:
    try:
        model = apps.get_model(label)
    except LookupError:
        return None
    model_admin = admin.site._registry.get(model)
    if model_admin is None or not model_admin.has_view_or_change_permission(request):
        return None
    meta = model._meta
    return {
        "title": capfirst(str(meta.verbose_name_plural)),
        "icon": icon,
        "link": reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"),
    }
