"""Messages to people, and the texts they are made from."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.durable import DurableRow
from notifications import channels
from notifications.events import event_named, label_of, names, role_label_of
from notifications.preview import problems_of


class ChannelKind(models.TextChoices):
    """The values are those of the config API (DESIGN: ``notify_channels``); ``alert`` is for operators only."""

    WECOM = "wechat", _("WeCom")
    SMS = "sms", _("SMS")
    EMAIL = "email", _("Email")
    ALERT = "alert", _("Alert address")


class MessageTemplate(models.Model):
    """The words for one event on one channel in one language, with ``{{ variable }}`` where facts go."""

    event = models.CharField(_("event"), max_length=60)
    channel = models.CharField(_("channel"), max_length=10, choices=channels.choices)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    subject = models.CharField(
        pgettext_lazy("of a message", "subject"),
        max_length=200,
        blank=True,
        help_text=_("For emails; other channels have none."),
    )
    body = models.TextField(_("text"))
    sms_template = models.CharField(
        _("template at the SMS provider"),
        max_length=64,
        blank=True,
        help_text=_("The approved template's ID. Its parameters are the variables of the text, in their order there."),
    )
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        ordering = ["event", "channel", "language"]
        constraints = [
            models.UniqueConstraint(fields=["event", "channel", "language"], name="notifications_one_template"),
        ]

    def __str__(self) -> str:
        return f"{self.event_label} · {self.get_channel_display()} · {self.get_language_display()}"

    @property
    def event_label(self) -> str:
        """What the event is called; its name, when no app knows it any more."""
        return label_of(self.event)

    def clean(self) -> None:
        """A text that could not be rendered is refused, with the place of each mistake."""
        if self.event not in names():
            raise ValidationError({"event": _("There is no such event.")})
        found = problems_of(event_named(self.event), subject=self.subject, body=self.body)
        if found:
            raise ValidationError({field: [str(problem) for problem in problems] for field, problems in found.items()})


class Notification(DurableRow):
    """One message to one person by one channel. ``key`` says it all: the same occasion is told once."""

    drain_task: ClassVar[str] = "notifications.deliver"
    kept_fields: ClassVar[tuple[str, ...]] = ("turn_at", "provider_id")

    event = models.CharField(_("event"), max_length=60)
    channel = models.CharField(_("channel"), max_length=10, choices=channels.choices)
    address = models.CharField(
        _("address"), max_length=254, help_text=_("A WeCom userid, a phone number, an email address.")
    )
    recipient = models.CharField(_("recipient"), max_length=100, blank=True)
    role = models.CharField(_("role"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    subject = models.CharField(pgettext_lazy("of a message", "subject"), max_length=200, blank=True)
    body = models.TextField(_("text"))
    sms_template = models.CharField(_("template at the SMS provider"), max_length=64, blank=True)
    sms_parameters = models.JSONField(
        _("SMS parameters"), default=list, blank=True, help_text=_("Pairs of variable and value, in the text's order.")
    )
    about = models.CharField(
        _("about"), max_length=60, blank=True, help_text=_("What it tells about, such as project-change:12.")
    )
    turn_at = models.DateTimeField(
        _("turn"), null=True, blank=True, editable=False, help_text=_("When the recipient's rate limit has room.")
    )
    provider_id = models.CharField(_("number at the provider"), max_length=100, blank=True)

    class Meta(DurableRow.Meta):
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            *DurableRow.Meta.indexes,
            models.Index(fields=["-created_at", "-id"], name="notifications_newest"),
            models.Index(fields=["about"], name="notifications_about"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} → {self.recipient or self.address}"

    @property
    def role_label(self) -> str:
        """What the recipient is to what happened."""
        return role_label_of(self.event, self.role)

    @property
    def event_label(self) -> str:
        return label_of(self.event)
