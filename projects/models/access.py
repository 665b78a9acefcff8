"""Links: who may look at a project, and who did."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from projects.models.cache import ProjectCache
from projects.models.kinds import Role


class ProjectAccessTokenQuerySet(models.QuerySet["ProjectAccessToken"]):
    def valid(self, *, now: datetime | None = None) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=now or timezone.now())

    def expired(self, *, now: datetime | None = None) -> Self:
        return self.filter(revoked_at=None, expires_at__lte=now or timezone.now())

    def expiring(self, *, within: timedelta, now: datetime | None = None) -> Self:
        """Valid now, and no longer after ``within``."""
        now = now or timezone.now()
        return self.valid(now=now).filter(expires_at__lte=now + within)


class ProjectAccessToken(models.Model):
    """One person's link to one project. The token itself is shown once and never stored."""

    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False, help_text=_("SHA-256."))
    project = models.ForeignKey(ProjectCache, models.CASCADE, verbose_name=_("project"), related_name="links")
    user_id = models.CharField(_("person's ID"), max_length=100)
    user_name = models.CharField(_("person"), max_length=100)
    access_type = models.CharField(_("role"), max_length=10, choices=Role.choices)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("valid until"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("revoked by")
    )
    use_count = models.PositiveIntegerField(_("times used"), default=0)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    objects: ClassVar[models.Manager[ProjectAccessToken]] = (  # type: ignore[assignment]
        ProjectAccessTokenQuerySet.as_manager()
    )

    class Meta:
        verbose_name = _("project link")
        verbose_name_plural = _("project links")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="projects_token_newest"),
            # filters “expired”, “expiring”, and the nightly purge
            models.Index(fields=["expires_at"], name="projects_token_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.user_name} ({self.get_access_type_display()})"


class AccessOutcome(models.TextChoices):
    ALLOWED = "allowed", _("Allowed")
    INVALID = "token_invalid", _("No valid link")
    EXPIRED = "token_expired", _("Expired")
    REVOKED = "token_revoked", pgettext_lazy("of a link", "Revoked")
    WRONG_PROJECT = "wrong_project", _("Link of another project")
    THROTTLED = "throttled", _("Too many requests")


class ProjectAccessLog(models.Model):
    """Somebody looked, or tried to. Allowed looks are written in batches, refusals at once."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    token = models.ForeignKey(
        ProjectAccessToken, models.SET_NULL, null=True, blank=True, verbose_name=_("link"), related_name="uses"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("staff user")
    )
    remote_id = models.CharField(_("project ID"), max_length=100)
    person = models.CharField(_("person"), max_length=100, blank=True)
    access_type = models.CharField(_("role"), max_length=10, choices=Role.choices, blank=True)
    door = models.CharField(
        _("door"), max_length=6, choices={"api": _("API"), "verify": _("API: check of a link"), "page": _("Page")}
    )
    outcome = models.CharField(_("outcome"), max_length=14, choices=AccessOutcome.choices)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    agent = models.CharField(_("browser"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("access log")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="projects_access_newest"),
            models.Index(fields=["remote_id", "-at"], name="projects_access_project"),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id} {self.get_outcome_display()}"
