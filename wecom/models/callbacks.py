"""The inbox, and what never got into it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.durable import DurableRow
from wecom.models.configs import WeComConfig


class CallbackEvent(DurableRow):
    """The inbox: one verified, decrypted callback. ``key`` is its event ID."""

    drain_task: ClassVar[str] = "wecom.process_inbox"
    order_group: ClassVar[str | None] = "subject"
    kept_fields: ClassVar[tuple[str, ...]] = ("outcome", "parked_at")

    config = models.ForeignKey(WeComConfig, models.PROTECT, verbose_name=_("WeCom app"), related_name="events")
    event = models.CharField(_("event"), max_length=64)
    change_type = models.CharField(_("change type"), max_length=64, blank=True)
    subject = models.CharField(
        _("subject"),
        max_length=128,
        blank=True,
        help_text=_("What the event is about: the approval number or our own number."),
    )
    from_user = models.CharField(_("from"), max_length=128, blank=True)
    event_time = models.DateTimeField(_("event time"), null=True, blank=True)
    payload = models.TextField(_("payload"), help_text=_("The decrypted XML."))
    credential = models.CharField(
        _("credential"),
        max_length=10,
        choices={"primary": _("Primary"), "secondary": _("Secondary"), "contact": _("Sync assistant")},
    )
    outcome = models.CharField(_("outcome"), max_length=20, blank=True)
    parked_at = models.DateTimeField(_("parked since"), null=True, blank=True)

    class Meta(DurableRow.Meta):
        verbose_name = _("callback event")
        verbose_name_plural = _("callback events (inbox)")
        indexes = [
            *DurableRow.Meta.indexes,
            # release_parked(), and the events of one approval in admin
            models.Index(fields=["subject", "id"], name="wecom_event_subject"),
            # admin: newest first
            models.Index(fields=["-created_at"], name="wecom_event_newest"),
            models.Index(fields=["parked_at"], condition=models.Q(parked_at__isnull=False), name="wecom_event_parked"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}".strip()


class RefusedCallback(models.Model):
    """A request to the callback address that was turned away, kept for the person who sets the callback up."""

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    slug = models.CharField(_("app"), max_length=50, blank=True)
    method = models.CharField(_("method"), max_length=10)
    code = models.IntegerField(_("code"), help_text=_("Return code of WeCom's own crypto library (doc 90307)."))
    reason = models.CharField(_("reason"), max_length=300)
    remote_address = models.GenericIPAddressField(_("remote address"), null=True, blank=True)
    query = models.CharField(_("query"), max_length=500, blank=True)
    body_start = models.CharField(_("start of the body"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("refused callback")
        verbose_name_plural = _("refused callbacks")
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.code} {self.reason}"
