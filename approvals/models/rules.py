"""Who approves what: templates of the WeCom approval app, and the rules that choose among them."""

from __future__ import annotations

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from wecom.models import WeComConfig


class Flow(models.TextChoices):
    """Where the decision is taken."""

    WECOM_OA = "wecom_oa", _("WeCom approval app")
    WECOM_ENGINE = "wecom_engine", _("WeCom approval engine")
    INTERNAL = "internal", _("This system")


class Relation(models.TextChoices):
    """How several approvers of one step agree. The words are those of ``wecom.snapshots``."""

    ALL = "all", _("All must agree")
    ANY = "any", _("Any one is enough")
    IN_TURN = "in_turn", _("One after another")


class ApprovalTemplate(models.Model):
    """A template of the approval app, and which of its controls carries which field of a quote; or one of the approval
    engine, which has no controls of ours."""

    config = models.ForeignKey(WeComConfig, models.PROTECT, verbose_name=_("WeCom app"), related_name="templates")
    flow = models.CharField(
        _("flow"),
        max_length=16,
        choices=[(Flow.WECOM_OA.value, Flow.WECOM_OA.label), (Flow.WECOM_ENGINE.value, Flow.WECOM_ENGINE.label)],
        default=Flow.WECOM_OA,
        help_text=_("The engine has templates of its own; their IDs are not those of the approval app."),
    )
    template_id = models.CharField(_("template ID"), max_length=128)
    name = models.CharField(_("name"), max_length=100, blank=True)
    mapping = models.JSONField(
        _("control mapping"),
        default=dict,
        blank=True,
        help_text=_("Field of the quote → ID of the template's control. Press “Suggest mapping” to fill it in."),
    )
    controls = models.JSONField(_("controls"), default=list, blank=True, editable=False)
    checked_at = models.DateTimeField(_("read from WeCom at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("approval template")
        verbose_name_plural = _("approval templates")
        constraints = [
            models.UniqueConstraint(fields=["config", "template_id"], name="approvals_template_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.template_id


class ApprovalRule(models.Model):
    """Chooses flow, template and approvers by currency and amount; the first that matches, by priority, wins."""

    name = models.CharField(_("name"), max_length=100)
    priority = models.PositiveSmallIntegerField(_("priority"), default=100, help_text=_("Smaller numbers come first."))
    active = models.BooleanField(_("active"), default=True)
    currency = models.CharField(
        _("currency"),
        max_length=3,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capital letters, such as CNY."))],
        help_text=_("Empty: any currency."),
    )
    min_amount = models.DecimalField(
        _("from amount"), max_digits=18, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )
    max_amount = models.DecimalField(
        _("below amount"),
        max_digits=18,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: no upper limit."),
    )
    flow = models.CharField(_("flow"), max_length=16, choices=Flow.choices, default=Flow.WECOM_OA)
    template = models.ForeignKey(
        ApprovalTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("approval template"),
        help_text=_("Empty: the default template of the WeCom app."),
    )
    chain = models.JSONField(
        _("approvers"),
        default=list,
        blank=True,
        help_text=_("Steps, one after another. None: the flow that is set up in the template itself."),
    )
    remind_after = models.PositiveSmallIntegerField(
        _("remind after (hours)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Reminds those whose turn it is as often as so many hours pass. Empty: never."),
    )
    escalate_after = models.PositiveSmallIntegerField(
        _("escalate after (hours)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Once, when nobody has decided for so many hours. Empty: never."),
    )
    escalate_to = models.CharField(
        _("escalate to"), max_length=64, blank=True, help_text=_("A member who may decide from then on as well.")
    )

    class Meta:
        verbose_name = _("approval rule")
        verbose_name_plural = _("approval rules")
        ordering = ["priority", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(max_amount__isnull=True) | models.Q(max_amount__gt=models.F("min_amount")),
                name="approvals_rule_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def config_id(self) -> int | None:
        """The WeCom app whose template the rule names; None: the default one."""
        return self.template.config_id if self.template else None
