"""Runs of the mirror, and what they found."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models.cache import ProjectCache
from projects.models.kinds import ProjectStatus, ProjectType, all_types
from projects.models.source import RemoteSource


class SyncType(models.TextChoices):
    MANUAL = "manual", _("Started by a person")
    AUTO = "auto", _("Scheduled")


class RunStatus(models.TextChoices):
    PENDING = "pending", _("Waiting for a worker")
    RUNNING = "running", _("Running")
    SUCCESS = "success", _("Succeeded")
    PARTIAL = "partial", _("Broke off, its pages were kept")
    FAILED = "failed", _("Failed, nothing was changed")


class ProjectSyncHistory(models.Model):
    """One run over one source. Opened, claimed and closed by ``projects.sync.runs`` only."""

    source = models.ForeignKey(
        RemoteSource, models.CASCADE, verbose_name=_("source"), related_name="runs", db_index=False
    )
    sync_type = models.CharField(_("started by"), max_length=8, choices=SyncType.choices, default=SyncType.MANUAL)
    status = models.CharField(_("status"), max_length=8, choices=RunStatus.choices, default=RunStatus.PENDING)
    force = models.BooleanField(_("forced"), default=False, help_text=_("The brake was off."))
    project_types = models.JSONField(_("project types"), default=all_types)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    created_at = models.DateTimeField(_("asked for at"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    claim = models.UUIDField(_("claim"), null=True, editable=False)
    alive_until = models.DateTimeField(
        _("lease"), null=True, blank=True, help_text=_("When its worker is believed to be dead.")
    )
    first_page = models.PositiveIntegerField(_("first page"), default=1)
    pages_done = models.PositiveIntegerField(_("pages done"), default=0)
    announced = models.PositiveIntegerField(
        _("announced"), null=True, blank=True, help_text=_("How many projects the library said it has.")
    )
    total_projects = models.PositiveIntegerField(_("projects"), default=0)
    created_count = models.PositiveIntegerField(_("new"), default=0)
    updated_count = models.PositiveIntegerField(_("updated, new ones included"), default=0)
    unchanged_count = models.PositiveIntegerField(_("unchanged"), default=0)
    failed_count = models.PositiveIntegerField(_("unusable"), default=0)
    removed_count = models.PositiveIntegerField(_("gone"), default=0)
    message = models.CharField(_("message"), max_length=500, blank=True)
    error_detail = models.TextField(_("error in detail"), blank=True)

    class Meta:
        verbose_name = _("synchronisation run")
        verbose_name_plural = _("synchronisation history")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(status__in=("pending", "running")), name="projects_one_open_run"
            ),
        ]
        indexes = [
            # history, newest first; statistics per day
            models.Index(fields=["-created_at", "-id"], name="projects_run_newest"),
            models.Index(fields=["source", "-created_at"], name="projects_run_source"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {timezone.localtime(self.created_at):%Y-%m-%d %H:%M:%S}"

    @property
    def duration(self) -> timedelta | None:
        """From start to end; of a run that is still at it, until now. ``None`` before it has started."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def percent(self) -> int | None:
        """Progress, 0–100; ``None`` while the library has not said how many there are."""
        if not self.announced:
            return None
        return min(100, self.total_projects * 100 // self.announced)


class ProjectStatusChange(models.Model):
    """A project's status was another one when we looked again. Append-only; outlives the project's copy."""

    run = models.ForeignKey(
        ProjectSyncHistory,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("run"),
        related_name="changes",
        help_text=_("Empty when the project was refreshed alone, because somebody looked at it."),
    )
    project = models.ForeignKey(
        ProjectCache, models.SET_NULL, null=True, verbose_name=_("project"), related_name="changes"
    )
    remote_id = models.CharField(_("project ID"), max_length=100)
    title = models.CharField(_("title"), max_length=300)
    type = models.CharField(_("type"), max_length=12, choices=ProjectType.choices)
    old_status = models.CharField(_("old status"), max_length=12, choices=ProjectStatus.choices)
    new_status = models.CharField(_("new status"), max_length=12, choices=ProjectStatus.choices)
    at = models.DateTimeField(_("at"), default=timezone.now)
    notices = models.PositiveSmallIntegerField(_("notifications written"), default=0)

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="projects_change_newest"),
            models.Index(fields=["remote_id", "-at"], name="projects_change_project"),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id} {self.get_old_status_display()} → {self.get_new_status_display()}"
