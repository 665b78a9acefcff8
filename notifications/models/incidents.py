"""Incidents: what operators must know, one open row per trouble."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Incident(models.Model):
    """Something that needs a person. Opened and resolved by ``notifications.incidents`` only."""

    key = models.CharField(_("key"), max_length=190)
    title = models.CharField(_("title"), max_length=200)
    detail = models.TextField(_("detail"), blank=True)
    remedy = models.TextField(_("remedy"), blank=True)
    times = models.PositiveIntegerField(_("times seen"), default=1)
    opened_at = models.DateTimeField(_("opened at"), auto_now_add=True)
    seen_at = models.DateTimeField(_("last seen at"), auto_now=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    alerted_at = models.DateTimeField(
        _("alert written at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When its message to the alert addresses was put into the queue."),
    )

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(resolved_at__isnull=True), name="notifications_one_open_incident"
            ),
        ]

    def __str__(self) -> str:
        return self.title
