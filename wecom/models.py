"""What the WeCom side keeps: the apps' credentials, the inbox, refused requests, and who is who."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from config.durable import DurableRow
from config.sealed import SealedField


class WeComConfig(models.Model):
    """One WeCom app (自建应用): corp, agent and its secrets. A token belongs to one such row (doc 91039)."""

    slug = models.SlugField(_("slug"), unique=True, help_text=_("Part of the callback address of this app."))
    name = models.CharField(_("name"), max_length=100)
    corp_id = models.CharField(_("corp ID"), max_length=64)
    agent_id = models.PositiveBigIntegerField(_("agent ID"))
    secret = SealedField(_("secret"))
    callback_token = SealedField(_("callback token"), blank=True, default="")
    encoding_aes_key = SealedField(_("EncodingAESKey"), blank=True, default="")
    next_callback_token = SealedField(
        _("next callback token"),
        blank=True,
        default="",
        help_text=_("While credentials are rotated, callbacks signed with either pair are accepted."),
    )
    next_encoding_aes_key = SealedField(_("next EncodingAESKey"), blank=True, default="")
    template_id = models.CharField(
        _("approval template ID"),
        max_length=128,
        blank=True,
        help_text=_("Used where no approval rule names another template."),
    )
    default_applicant = models.CharField(
        _("default applicant"),
        max_length=64,
        blank=True,
        help_text=_("WeCom userid that submits for people who are not linked to a WeCom member."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    is_default = models.BooleanField(_("default app"), default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("WeCom app")
        verbose_name_plural = _("WeCom apps")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="wecom_one_default_config"
            ),
        ]

    def __str__(self) -> str:
        return self.name


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
        _("credential"), max_length=10, choices={"primary": _("Primary"), "secondary": _("Secondary")}
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


class Member(models.Model):
    """A WeCom member. ``user`` links it to the person who logs in here."""

    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="members")
    userid = models.CharField(
        _("userid"),
        max_length=64,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9_\-@.]*$", _("Letters, digits and _-@. only."))],
    )
    name = models.CharField(_("name"), max_length=64)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("staff user"),
        related_name="wecom_member",
    )

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["name", "userid"]
        constraints = [
            # userids are case-insensitive (doc 90195): stored as given, compared folded
            models.UniqueConstraint("config", Lower("userid"), name="wecom_member_userid_folded"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.userid})"
