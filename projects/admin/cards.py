"""Numbers of projects on the admin's first page."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.dashboard import Kind, register_cards
from projects.models import ProjectCache, ProjectSyncConfig


def _expired(_user: Any) -> QuerySet[ProjectCache]:
    return ProjectCache.objects.expired(ProjectSyncConfig.load().ttl)  # type: ignore[attr-defined,no-any-return]


register_cards(
    Kind(
        label=_("Expired project copies"),
        permission="projects.sync_remotesource",
        rows=_expired,
        changelist="projects_projectcache",
        query="age=expired",
        icon="update_disabled",
        tone="warning",
    ),
    place=50,
)
