"""Quotes and their items. Money is Decimal; the total is computed by ``approvals.quotes`` alone."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

ZERO = Decimal(0)


class QuoteStatus(models.TextChoices):
    """Where the quote stands as a document. Follows from the approval, see ``approvals.transitions.QUOTE_STATUS``."""

    DRAFT = "draft", _("Draft")
    IN_APPROVAL = "in_approval", _("In approval")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    CANCELLED = "cancelled", _("Withdrawn")
    REVOKED = "revoked", _("Revoked")
    FAILED = "failed", _("Submission failed")


class InstanceStatus(models.TextChoices):
    """State of an approval (DESIGN's status map), and of the quote that it belongs to."""

    NOT_SUBMITTED = "not_submitted", _("Not submitted")
    SUBMITTING = "submitting", _("Submitting")
    PENDING = "pending", _("Pending approval")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    CANCELLED = "cancelled", _("Withdrawn")
    REVOKED = "revoked", _("Revoked after approval")
    DELETED = "deleted", _("Deleted in WeCom")
    FAILED = "failed", _("Submission failed")


class NumberSequence(models.Model):
    """The last quote number given out on a day. Only ``approvals.quotes.next_number`` writes it."""

    day = models.DateField(unique=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.last}"


class Quote(models.Model):
    quote_number = models.CharField(_("quote number"), max_length=32, unique=True, editable=False)
    revision = models.PositiveSmallIntegerField(_("revision"), default=1, editable=False)
    title = models.CharField(_("title"), max_length=200)
    customer_name = models.CharField(_("customer"), max_length=200)
    contact = models.CharField(_("contact"), max_length=100, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="CNY",
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capital letters, such as CNY."))],
    )
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    remark = models.TextField(_("remark"), max_length=2000, blank=True)
    total = models.DecimalField(_("total"), max_digits=18, decimal_places=2, default=ZERO, editable=False)
    status = models.CharField(
        _("status"), max_length=16, choices=QuoteStatus.choices, default=QuoteStatus.DRAFT, editable=False
    )
    approval_status = models.CharField(
        _("approval status"),
        max_length=16,
        choices=InstanceStatus.choices,
        default=InstanceStatus.NOT_SUBMITTED,
        editable=False,
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("owner"), related_name="quotes", editable=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        ordering = ["-id"]
        permissions = [
            ("submit_quote", _("Can submit quotes for approval")),
            ("view_all_quotes", _("Can see quotes and approvals of other people")),
            ("manage_all_quotes", _("Can work on quotes of other people")),
        ]
        indexes = [
            models.Index(fields=["approval_status", "-id"], name="approvals_quote_state"),
            models.Index(fields=["owner", "-id"], name="approvals_quote_owner"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(total__gte=0), name="approvals_quote_total_not_negative"),
        ]

    def __str__(self) -> str:
        return self.quote_number

    @property
    def sealed(self) -> bool:
        """Whether the content is fixed: it has been submitted in this revision."""
        return self.approval_status != InstanceStatus.NOT_SUBMITTED


class QuoteItem(models.Model):
    quote = models.ForeignKey(Quote, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField(pgettext_lazy("in a list", "position"), default=0, editable=False)
    name = models.CharField(_("name"), max_length=200)
    specification = models.CharField(_("specification"), max_length=400, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3, validators=[MinValueValidator(ZERO)])
    unit_price = models.DecimalField(
        _("unit price"), max_digits=14, decimal_places=2, validators=[MinValueValidator(ZERO)]
    )

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ["quote", "position", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=0), name="approvals_item_quantity_not_negative"),
            models.CheckConstraint(condition=models.Q(unit_price__gte=0), name="approvals_item_price_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name
