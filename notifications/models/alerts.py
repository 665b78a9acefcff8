"""Who is alerted, and about what."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.sealed import SealedField


class AlertAddress(models.Model):
    """Where operators are alerted: a robot of WeCom, DingTalk or Feishu, a plain webhook, or any Apprise address."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    url = SealedField(_("address"), help_text=_("It contains a key: kept sealed, and never shown again."))
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("alert address")
        verbose_name_plural = _("alert addresses")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AlertRuleKind(models.TextChoices):
    """What is watched; how, stands in ``notifications.alert_rules``."""

    SYNC_FAILED = "sync_failed", _("Synchronisation failed several times in a row")
    BRAKE = "brake", _("A synchronisation hit its brake")
    DEAD_ROWS = "dead_rows", _("Rows that nobody will repeat")
    PARKED = "parked", _("Callbacks wait for an approval that is not known")
    BREAKER = "breaker", _("WeCom refuses an app's secret")
    BEAT = "beat", _("The scheduler is silent")
    WORKER = "worker", _("No worker answers")
    CALLBACKS = "callbacks", _("No callback came although approvals are open")


class AlertRule(models.Model):
    """One watch. Created with its default for each kind; people change the threshold or switch it off."""

    kind = models.CharField(_("what"), max_length=20, choices=AlertRuleKind.choices, unique=True)
    threshold = models.PositiveIntegerField(_("threshold"))
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        ordering = ["kind"]

    def __str__(self) -> str:
        return self.get_kind_display()
