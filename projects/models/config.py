"""What operators choose: one row each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from projects.models.kinds import all_types, staff_roles

ONLY = 1
"""Primary key of the one row."""


def all_channels() -> list[str]:
    return ["wechat", "sms", "email"]


class Singleton(models.Model):
    """A table of one row, made with its defaults when it is first asked for."""

    class Meta:
        abstract = True

    @classmethod
    def load(cls) -> Self:
        row, _created = cls._default_manager.get_or_create(pk=ONLY)
        return row

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = ONLY
        super().save(*args, **kwargs)


class ProjectSyncConfig(Singleton):
    """How the mirror is kept and who is told. Whether and when it runs is the row “projects: sync” of the schedules."""

    sync_frequency = models.CharField(_("frequency"), max_length=100, default="*/15 * * * *")
    cron_expression = models.CharField(
        _("own schedule"), max_length=100, blank=True, help_text=_("Five fields of cron; takes the frequency's place.")
    )
    cache_ttl = models.PositiveIntegerField(
        _("copies are current for"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(10_080)],
        help_text=_("Minutes. Whoever looks at an older copy has it refreshed."),
    )
    sync_types = models.JSONField(_("project types"), default=all_types)
    notify_on_change = models.BooleanField(_("tell people about changes"), default=True)
    notify_channels = models.JSONField(_("channels"), default=all_channels)
    quiet_from = models.TimeField(
        _("quiet from"), null=True, blank=True, help_text=_("Messages wait from then on. Both empty: no quiet hours.")
    )
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    phone_visible_to = models.JSONField(
        _("links that show phone numbers"),
        default=staff_roles,
        help_text=_("Roles whose links show a customer's number in full."),
    )

    class Meta:
        verbose_name = _("synchronisation settings")
        verbose_name_plural = _("synchronisation settings")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @property
    def ttl(self) -> timedelta:
        return timedelta(minutes=self.cache_ttl)


class TimeDisplayConfig(Singleton):
    """How times of projects are written, for API and page alike."""

    aftersales_time_format = models.CharField(_("after-sales format"), max_length=40, default="YYYY-MM-DD HH:mm")
    sales_time_format = models.CharField(_("sales and presale format"), max_length=40, default="YYYY-MM-DD HH:mm")
    show_payment_time = models.BooleanField(_("show the time of payment"), default=True)
    timezone = models.CharField(_("time zone"), max_length=50, default="Asia/Shanghai")
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        verbose_name = _("time display")
        verbose_name_plural = _("time display")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Every save is a new version: documents written under an older one are no longer shown."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            type(self)._default_manager.filter(pk=ONLY).update(version=F("version") + 1)
            self.refresh_from_db(fields=["version"])
