"""The way out: what is to be done at WeCom for an approval, one row per effect."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from approvals.models.instances import ApprovalInstance
from config.durable import DurableRow


class OperationKind(models.TextChoices):
    SUBMIT = "submit", _("Submit to WeCom")
    TELL = "tell", _("Tell people in WeCom")
    CARDS = "cards", _("Bring cards up to date")


class SyncOperation(DurableRow):
    """One outbound effect; ``key`` is ``<kind>:<instance>[:<what>]``, so the same effect cannot be queued twice."""

    drain_task: ClassVar[str] = "approvals.run_operations"
    order_group: ClassVar[str | None] = "instance"
    no_group: ClassVar[Any] = None

    instance = models.ForeignKey(
        ApprovalInstance, models.PROTECT, verbose_name=_("approval"), related_name="operations"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=OperationKind.choices)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    error_code = models.IntegerField(_("WeCom's error code"), null=True, blank=True)
    kept_fields: ClassVar[tuple[str, ...]] = ("error_code",)

    class Meta(DurableRow.Meta):
        verbose_name = _("sync operation")
        verbose_name_plural = _("sync operations (outbox)")
        indexes = [
            *DurableRow.Meta.indexes,
            models.Index(fields=["-created_at"], name="approvals_operation_newest"),
        ]

    def __str__(self) -> str:
        return self.key
