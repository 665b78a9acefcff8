"""What WeCom has said to be different, and has to be read anew."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.durable import DurableRow
from wecom.models.configs import WeComConfig


class RefreshKind(models.TextChoices):
    MEMBER = "member", _("Member")
    DEPARTMENT = "department", _("Department")
    CUSTOMER = "customer", _("Customer")
    TAGS = "tags", _("Tags")


class ContactRefresh(DurableRow):
    """One thing of the directory that a callback spoke of: due until it has been read from WeCom.

    One row for each thing, however many callbacks speak of it; see ``wecom.contacts.refreshes``.
    """

    drain_task: ClassVar[str] = "wecom.refresh_contacts"

    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="refreshes")
    kind = models.CharField(_("kind"), max_length=10, choices=RefreshKind.choices)
    subject = models.CharField(_("ID in WeCom"), max_length=64, blank=True)

    class Meta(DurableRow.Meta):
        verbose_name = _("contact to read anew")
        verbose_name_plural = _("contacts to read anew")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}".strip()
