"""One submission of a quote, its steps, and the timeline that nobody can edit."""

from __future__ import annotations

from typing import Any, Never

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from approvals.models.quotes import InstanceStatus, Quote
from approvals.models.rules import ApprovalRule, ApprovalTemplate, Flow, Relation
from wecom.models import WeComConfig

LIVE = (InstanceStatus.SUBMITTING, InstanceStatus.PENDING)


class Channel(models.TextChoices):
    """Who acted, as an address, not a person."""

    INTERNAL = "internal", _("Admin")
    WECOM = "wecom", _("WeCom")
    API = "api", _("API")
    SYSTEM = "system", _("System")


class ApprovalInstance(models.Model):
    """``third_no`` ↔ ``sp_no`` ↔ quote, the sealed content, our state and WeCom's.

    Only ``approvals.engine`` writes it.
    """

    quote = models.ForeignKey(Quote, models.PROTECT, verbose_name=_("quote"), related_name="approvals")
    revision = models.PositiveSmallIntegerField(_("revision"))
    third_no = models.CharField(_("our number"), max_length=64, unique=True)
    sp_no = models.CharField(_("WeCom number"), max_length=64, blank=True)
    flow = models.CharField(_("flow"), max_length=16, choices=Flow.choices)
    config = models.ForeignKey(
        WeComConfig, models.PROTECT, null=True, blank=True, verbose_name=_("WeCom app"), related_name="approvals"
    )
    corp_id = models.CharField(_("corp ID"), max_length=64, blank=True, help_text=_("Whose numbers these are."))
    template = models.ForeignKey(
        ApprovalTemplate, models.PROTECT, null=True, blank=True, verbose_name=_("approval template")
    )
    chain = models.JSONField(_("approvers"), default=list, help_text=_("Steps as they were asked for."))
    rule = models.ForeignKey(
        ApprovalRule,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("approval rule"),
        related_name="+",
        help_text=_("By which overdue approvals are reminded of and escalated."),
    )
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("applicant"), related_name="approvals"
    )
    applicant_userid = models.CharField(_("applicant's userid"), max_length=64, blank=True)

    snapshot = models.JSONField(_("sealed content"))
    seal = models.CharField(_("seal"), max_length=64, help_text=_("SHA-256 of the sealed content."))

    status = models.CharField(_("status"), max_length=16, choices=InstanceStatus.choices)
    decided_channel = models.CharField(_("decided in"), max_length=10, choices=Channel.choices, blank=True)
    remote_status = models.CharField(_("status in WeCom"), max_length=16, blank=True)
    remote_status_code = models.IntegerField(_("status number in WeCom"), null=True, blank=True)
    remote_changed_at = models.DateTimeField(_("changed in WeCom at"), null=True, blank=True)
    remote_pending = models.BooleanField(_("WeCom does not agree yet"), default=False)
    conflict = models.BooleanField(_("conflict"), default=False)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_message = models.TextField(_("error"), blank=True)

    submitted_at = models.DateTimeField(_("submitted at"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    last_synced_at = models.DateTimeField(_("last proved by WeCom at"), null=True, blank=True)
    last_reminded_at = models.DateTimeField(_("last reminded at"), null=True, blank=True)
    escalated_at = models.DateTimeField(_("escalated at"), null=True, blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]
        permissions = [
            ("decide_approval", _("Can approve and reject where they are an approver")),
            ("decide_any_approval", _("Can approve and reject in the place of any approver")),
            ("sync_approval", _("Can compare approvals with WeCom")),
            ("close_conflict", _("Can close conflicts")),
        ]
        indexes = [
            # reconcile: what is open at WeCom
            models.Index(
                fields=["submitted_at"],
                condition=models.Q(status__in=("submitting", "pending")) | models.Q(remote_pending=True),
                name="approvals_instance_open",
            ),
            models.Index(fields=["status", "-id"], name="approvals_instance_status"),
            models.Index(fields=["conflict"], condition=models.Q(conflict=True), name="approvals_instance_conflict"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["quote"],
                condition=models.Q(status__in=("submitting", "pending")),
                name="approvals_one_live_instance",
            ),
            # a number is unique within its company, whichever of its apps submitted
            models.UniqueConstraint(
                fields=["sp_no", "corp_id"], condition=~models.Q(sp_no=""), name="approvals_sp_no_once"
            ),
        ]

    def __str__(self) -> str:
        return self.third_no


class StepStatus(models.TextChoices):
    """State of one approver (fact sheet 4.7, second column)."""

    PENDING = "pending", _("Pending")
    APPROVED = "approved", _("Agreed")
    REJECTED = "rejected", _("Rejected")
    TRANSFERRED = "transferred", _("Transferred")
    RETURNED = "returned", _("Returned")
    ADDED = "added", _("Approver added")
    HANDLED = "handled", _("Handled")
    HANDED_OVER = "handed_over", _("Handed over")
    UNKNOWN = "unknown", _("Unknown")


class ApprovalStep(models.Model):
    """One approver's place in the flow."""

    instance = models.ForeignKey(ApprovalInstance, models.CASCADE, related_name="steps")
    node = models.PositiveSmallIntegerField(_("node"))
    position = models.PositiveSmallIntegerField(pgettext_lazy("in a list", "position"))
    kind = models.CharField(_("kind"), max_length=10, default="approver")
    relation = models.CharField(_("relation"), max_length=8, choices=Relation.choices, default=Relation.ALL)
    userid = models.CharField(_("userid"), max_length=64)
    name = models.CharField(_("name"), max_length=64, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=StepStatus.choices, default=StepStatus.PENDING)
    comment = models.TextField(_("comment"), blank=True)
    time = models.DateTimeField(_("time"), null=True, blank=True)
    decided_here = models.BooleanField(
        _("decided here"), default=False, help_text=_("WeCom's own flow does not show this yet.")
    )
    delegated_to = models.CharField(_("delegated to"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["instance", "node", "position"]
        constraints = [
            models.UniqueConstraint(fields=["instance", "node", "position"], name="approvals_step_place"),
        ]

    def __str__(self) -> str:
        return f"{self.node}.{self.position} {self.userid}"


class Outcome(models.TextChoices):
    """What an entry of the timeline led to."""

    APPLIED = "applied", _("Applied")
    UNCHANGED = "unchanged", _("Nothing new")
    STALE = "stale", _("Out of date, ignored")
    CONFLICT = "conflict", _("Conflict")
    UNKNOWN = "unknown", _("Unknown status, kept")
    FAILED = "failed", _("Failed")
    REFUSED = "refused", _("Refused, without effect")


class AppendOnlyQuerySet(models.QuerySet["ApprovalTimeline"]):
    def update(self, **kwargs: Any) -> Never:
        raise TypeError("the timeline is append-only")

    def delete(self) -> Never:
        raise TypeError("the timeline is append-only")


class ApprovalTimeline(models.Model):
    """Append-only: every action and every remote event. ``event_id`` makes a repetition a no-op."""

    instance = models.ForeignKey(ApprovalInstance, models.PROTECT, related_name="timeline")
    event_id = models.CharField(_("event ID"), max_length=190, unique=True)
    at = models.DateTimeField(_("at"), default=timezone.now, help_text=_("When it happened, as far as is known."))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    actor = models.CharField(_("actor"), max_length=150, blank=True)
    action = models.CharField(_("action"), max_length=40)
    from_status = models.CharField(_("from status"), max_length=16, blank=True)
    to_status = models.CharField(_("to status"), max_length=16, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    comment = models.TextField(_("comment"), blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True, help_text=_("What WeCom said."))

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline")
        ordering = ["instance", "id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.action} ({self.outcome})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("the timeline is append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise TypeError("the timeline is append-only")
