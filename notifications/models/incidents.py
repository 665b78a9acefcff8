"""Incidents: what operators must know, one open row per trouble."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.phrases import Phrase


class Incident(models.Model):
    """Something that needs a person. Opened and resolved by ``notifications.incidents`` only."""

    key = models.CharField(_("key"), max_length=190)
    title = models.CharField(_("title"), max_length=200)
    detail = models.TextField(_("detail"), blank=True)
    remedy = models.TextField(_("remedy"), blank=True)
    words = models.JSONField(default=dict, blank=True, editable=False)
    """The same as phrases, for readers of other languages (``notifications.phrases``)."""
    times = models.PositiveIntegerField(_("times seen"), default=1)
    opened_at = models.DateTimeField(_("opened at"), auto_now_add=True)
    seen_at = models.DateTimeField(_("last seen at"), auto_now=True)
    over_since = models.DateTimeField(null=True, blank=True, editable=False)
    """Since when nothing of it has been found, while it is not resolved yet."""
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    alerted_at = models.DateTimeField(
        _("alert written at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When its message to the alert addresses was put into the queue."),
    )
    alert = models.CharField(max_length=60, blank=True, editable=False)
    """The ``about`` of the notifications that told of it; empty: nobody was told."""
    recovery = models.CharField(max_length=60, blank=True, editable=False)
    """The ``about`` of the notifications that told its end."""

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
        return self.said("title")

    def said(self, part: str) -> str:
        """``title``, ``detail`` or ``remedy`` in the language that is active now, as far as that is known."""
        stored = self.words.get(part)
        return str(Phrase.from_json(stored)) if stored else str(getattr(self, part))
