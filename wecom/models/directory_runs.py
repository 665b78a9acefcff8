"""Runs of the directory's synchronisation."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from wecom.models.configs import WeComConfig


class DirectoryType(models.TextChoices):
    DEPARTMENT = "department", _("Departments")
    USER = "user", _("Members")
    CUSTOMER = "customer", _("Customers")
    FULL = "full", _("Everything")


DIRECTORY_PARTS = (DirectoryType.DEPARTMENT, DirectoryType.USER, DirectoryType.CUSTOMER)
"""What a run over everything consists of."""


class DirectoryRunStatus(models.TextChoices):
    PENDING = "pending", _("Waiting for a worker")
    RUNNING = "running", _("Running")
    SUCCESS = "success", _("Succeeded")
    FAILED = "failed", _("Failed, nothing was changed")
    PARTIAL = "partial", _("Some members' customers failed")


DIRECTORY_APPLIED = (DirectoryRunStatus.SUCCESS, DirectoryRunStatus.PARTIAL)
"""What the run has read is here now."""


class DirectorySyncRun(models.Model):
    """One run of one type over one app. Opened, claimed and closed by ``wecom.directory_sync`` only."""

    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="directory_runs")
    sync_type = models.CharField(_("type"), max_length=10, choices=DirectoryType.choices)
    status = models.CharField(
        _("status"), max_length=8, choices=DirectoryRunStatus.choices, default=DirectoryRunStatus.PENDING
    )
    force = models.BooleanField(_("forced"), default=False, help_text=_("The brake was off."))
    automatic = models.BooleanField(_("scheduled"), default=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    created_at = models.DateTimeField(_("asked for at"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), default=timezone.now, editable=False)
    retries = models.PositiveSmallIntegerField(_("automatic retries"), default=0)
    claim = models.UUIDField(_("claim"), null=True, editable=False)
    alive_until = models.DateTimeField(_("lease"), null=True, blank=True, editable=False)
    phase = models.CharField(_("phase"), max_length=20, blank=True)
    calls_done = models.PositiveIntegerField(_("calls made"), default=0)
    calls_expected = models.PositiveIntegerField(_("calls expected"), null=True, blank=True)
    fetched = models.PositiveIntegerField(_("fetched"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    deleted = models.PositiveIntegerField(_("gone"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    message = models.CharField(_("message"), max_length=500, blank=True)
    error_detail = models.TextField(_("error in detail"), blank=True)

    class Meta:
        verbose_name = _("directory run")
        verbose_name_plural = _("directory runs")
        ordering = ["-created_at", "-id"]
        permissions = [("sync_directory", _("Can synchronise the directory"))]
        constraints = [
            models.UniqueConstraint(
                fields=["config", "sync_type"],
                condition=Q(status__in=("pending", "running")),
                name="wecom_one_open_directory_run",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="wecom_directory_run_newest"),
            # the newest of each type: status, schedule, metrics
            models.Index(fields=["config", "sync_type", "-created_at"], name="wecom_directory_run_type"),
        ]

    def __str__(self) -> str:
        return f"{self.get_sync_type_display()} {timezone.localtime(self.created_at):%Y-%m-%d %H:%M:%S}"

    @property
    def duration(self) -> timedelta | None:
        """From start to end; of a run that is still at it, until now. ``None`` before it has started."""
        return None if self.started_at is None else (self.finished_at or timezone.now()) - self.started_at
