"""The mirror itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models.kinds import ProjectStatus, ProjectType
from projects.models.source import RemoteSource

GRACE = timedelta(days=7)
"""How long a project that its library no longer lists is kept (DESIGN: schedules)."""


class ProjectCacheQuerySet(models.QuerySet["ProjectCache"]):
    """Named questions. A copy is *confirmed* when it was fetched, or by a later complete run of its source: such a run
    writes nothing for a project that has not changed. For a copy that is ``unconfirmed_since`` no run speaks. ``ttl``
    is the config's cache_ttl."""

    def listed(self) -> Self:
        """What its library still has."""
        return self.filter(removed_at=None)

    def confirmed_before(self, moment: datetime) -> Self:
        by_no_run = (
            Q(source__confirmed_at=None) | Q(source__confirmed_at__lt=moment) | Q(unconfirmed_since__isnull=False)
        )
        return self.filter(by_no_run, fetched_at__lt=moment)

    def expired(self, ttl: timedelta, *, now: datetime | None = None) -> Self:
        """Listed copies older than ``ttl``: the next look at one refreshes it."""
        return self.listed().confirmed_before((now or timezone.now()) - ttl)

    def expiring(self, ttl: timedelta, *, within: timedelta, now: datetime | None = None) -> Self:
        """Listed copies that are current and will be expired ``within`` that time, if no run comes first."""
        now = now or timezone.now()
        by_run = Q(source__confirmed_at__gte=now - ttl, unconfirmed_since=None)
        current = Q(fetched_at__gte=now - ttl) | by_run
        return self.listed().confirmed_before(now - ttl + within).filter(current)

    def past_grace(self, *, now: datetime | None = None) -> Self:
        """What may be deleted. Never a copy whose library is merely away."""
        return self.filter(removed_at__lt=(now or timezone.now()) - GRACE)


class ProjectCache(models.Model):
    """Our copy of one project. Written by ``projects.sync`` and ``projects.refresh`` only."""

    remote_id = models.CharField(
        _("project ID"), max_length=100, unique=True, help_text=_("As the library names it; the id of the API.")
    )
    source = models.ForeignKey(RemoteSource, models.PROTECT, verbose_name=_("source"), related_name="projects")
    type = models.CharField(_("type"), max_length=12, choices=ProjectType.choices)
    title = models.CharField(_("title"), max_length=300)
    status = models.CharField(_("status"), max_length=12, choices=ProjectStatus.choices)
    customer_name = models.CharField(_("customer"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    remote_updated_at = models.DateTimeField(_("changed in the library"), null=True, blank=True)
    stakeholders = models.JSONField(
        _("stakeholders"),
        default=list,
        blank=True,
        help_text=_("List of {role, user_id, name, wecom_userid, phone, email}; only role and name are sure."),
    )
    extra = models.JSONField(_("other fields"), default=dict, blank=True)
    document = models.TextField(
        _("document"),
        editable=False,
        help_text=_("The JSON text that links are answered with: phone masked, times in the chosen format."),
    )
    document_version = models.PositiveIntegerField(
        _("document version"),
        default=0,
        editable=False,
        help_text=_("Version of the time display that the document was written with."),
    )
    content_hash = models.CharField(_("content hash"), max_length=32, editable=False)
    fetched_at = models.DateTimeField(_("fetched at"))
    changed_at = models.DateTimeField(_("changed at"))
    removed_at = models.DateTimeField(
        _("gone since"), null=True, blank=True, help_text=_("Its library no longer lists it; kept for seven days.")
    )
    unconfirmed_since = models.DateTimeField(
        _("not confirmed since"),
        null=True,
        blank=True,
        help_text=_("Its library gives nothing usable for it, or its type is not synchronised any more."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[ProjectCache]] = ProjectCacheQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        permissions = [
            ("view_phone", _("Can see phone numbers in full")),
            ("issue_links", _("Can make and revoke links")),
        ]
        indexes = [
            # admin: newest change first, also within a type or a status
            models.Index(fields=["-changed_at", "-id"], name="projects_cache_newest"),
            models.Index(fields=["type", "-changed_at"], name="projects_cache_type"),
            models.Index(fields=["status", "-changed_at"], name="projects_cache_status"),
            # admin: expired and expiring; a run's search for what the library no longer lists
            models.Index(fields=["source", "type", "id"], name="projects_cache_source"),
            models.Index(fields=["fetched_at"], name="projects_cache_fetched"),
            # the nightly purge
            models.Index(fields=["removed_at"], condition=Q(removed_at__isnull=False), name="projects_cache_removed"),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id} {self.title}"
