"""Cards with buttons in WeCom: which message shows what to whom, and with which codes it can be changed."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.models.instances import ApprovalInstance


class CardState(models.TextChoices):
    QUEUED = "queued", _("To be sent")
    LIVE = "live", _("Buttons work")
    LINK = "link", _("Leads to the system")
    PASSED = "passed", _("Waits for others")
    CLOSED = "closed", _("Shows the result")
    RECALLED = "recalled", _("Recalled")
    LOST = "lost", _("Out of date on the phone")


class ApprovalCard(models.Model):
    """One message with buttons to people of one node who see the same: one of them, or all where any one is enough.

    Only ``approvals.cards`` writes it.
    """

    instance = models.ForeignKey(ApprovalInstance, models.PROTECT, verbose_name=_("approval"), related_name="cards")
    node = models.PositiveSmallIntegerField(_("node"))
    userids = models.JSONField(_("recipients"), default=list)
    task_id = models.CharField(
        _("task ID"), max_length=128, unique=True, help_text=_("By which WeCom names the card when somebody presses.")
    )
    replaces = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("instead of"),
        related_name="replaced_by",
        help_text=_("A card that can no longer be changed."),
    )
    state = models.CharField(_("state"), max_length=10, choices=CardState.choices, default=CardState.QUEUED)
    shown = models.CharField(_("shown"), max_length=64, blank=True, editable=False)
    """Digest of the face that the phones show; of a card to be sent, the face whose sending was begun.

    Empty: nobody knows, because a change was begun and never answered, or (to be sent) nothing was begun."""
    message_id = models.CharField(_("message ID"), max_length=128, blank=True)
    not_reached = models.JSONField(_("not reached"), default=list, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    changed_at = models.DateTimeField(_("last changed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        ordering = ["instance", "id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.task_id


class CardCode(models.Model):
    """One ``response_code``: good for one change of its card, for 72 hours (doc 90236). Spent codes are kept, so that
    no code is tried twice."""

    card = models.ForeignKey(ApprovalCard, models.CASCADE, related_name="codes")
    code = models.CharField(max_length=512)
    clicked_by = models.CharField(_("pressed by"), max_length=64, blank=True)
    """Empty: the code came with the answer to the message."""
    until = models.DateTimeField(_("good until"))
    spent_at = models.DateTimeField(_("spent at"), null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["card", "code"], name="approvals_card_code_once")]
        indexes = [
            # the schedule looks for cards whose codes are about to end
            models.Index(
                fields=["until"], condition=models.Q(spent_at__isnull=True), name="approvals_card_code_unspent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.card_id} {self.until:%Y-%m-%d %H:%M}"
