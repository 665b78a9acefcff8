"""Many approvals at once: what was asked for, and what became of each of them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.models.instances import ApprovalInstance, Channel
from config.durable import DurableRow, Status
from notifications.phrases import Phrase


class BatchVerb(models.TextChoices):
    APPROVE = "approve", _("Approve")
    SYNC = "sync", _("Compare with WeCom")


class Batch(models.Model):
    """One request of one person. ``finished_at`` is set by whoever closes the last item."""

    verb = models.CharField(_("verb"), max_length=10, choices=BatchVerb.choices)
    comment = models.TextField(_("comment"), blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("by"), related_name="+")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    total = models.PositiveIntegerField(_("approvals"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"

    @property
    def duration(self) -> timedelta:
        """From the request to its last item, or until now."""
        return (self.finished_at or timezone.now()) - self.created_at


class BatchOutcome(models.TextChoices):
    DONE = "done", _("Done")
    UNCHANGED = "unchanged", _("Nothing new")
    REFUSED = "refused", _("Refused")


class BatchItem(DurableRow):
    """One approval of a batch, on its own merits; ``key`` is ``batch:<batch>:<approval>``."""

    drain_task: ClassVar[str] = "approvals.run_batches"
    kept_fields: ClassVar[tuple[str, ...]] = ("outcome", "message")

    batch = models.ForeignKey(Batch, models.CASCADE, verbose_name=_("batch"), related_name="items")
    instance = models.ForeignKey(ApprovalInstance, models.PROTECT, verbose_name=_("approval"), related_name="+")
    outcome = models.CharField(_("outcome"), max_length=10, choices=BatchOutcome.choices, blank=True)
    message = models.TextField(_("message"), blank=True)
    """A stored ``Phrase``: who reads the report need not speak the language of the worker. Read it with ``why``."""

    class Meta(DurableRow.Meta):
        verbose_name = _("item of a batch")
        verbose_name_plural = _("items of a batch")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.key

    @property
    def result(self) -> str:
        """``outcome``; of an item without one ``failed`` if it was given up, else ``open``."""
        return self.outcome or ("failed" if self.status == Status.DEAD else "open")

    @property
    def why(self) -> str:
        """Why it came out as it did, or what it waits for, in the language of the reader; mostly empty."""
        return str(Phrase.from_json(json.loads(self.message))) if self.message else self.last_error

    def say(self, phrase: Phrase) -> None:
        """Set ``message``."""
        self.message = json.dumps(phrase.as_json(), ensure_ascii=False)
