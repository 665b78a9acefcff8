"""The company's WeCom apps, and what each of them may do."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

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
    engine_template_id = models.CharField(
        _("engine template ID"),
        max_length=128,
        blank=True,
        help_text=_("Of the approval engine (审批接口); used where no approval rule names another template."),
    )
    default_applicant = models.CharField(
        _("default applicant"),
        max_length=64,
        blank=True,
        help_text=_("WeCom userid that submits for people who are not linked to a WeCom member."),
    )
    contact_secret = SealedField(
        _("contact secret"),
        blank=True,
        default="",
        help_text=_("Of the sync assistant (通讯录同步助手). With it, complete lists of userids can be read."),
    )
    contact_callback_token = SealedField(
        _("contact callback token"),
        blank=True,
        default="",
        help_text=_("Of the sync assistant, which has a pair of its own. It reports changes of members here."),
    )
    contact_encoding_aes_key = SealedField(_("contact EncodingAESKey"), blank=True, default="")
    enabled = models.BooleanField(_("enabled"), default=True)
    is_default = models.BooleanField(_("default app"), default=False)
    last_callback_at = models.DateTimeField(_("last callback"), null=True, blank=True, editable=False)
    last_credential = models.CharField(
        _("pair that the last callback carried"),
        max_length=10,
        blank=True,
        editable=False,
        choices={"primary": _("Primary"), "secondary": _("Secondary")},
    )
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


class Capability(models.TextChoices):
    """What is probed of an app; the order is that of the matrix."""

    TOKEN = "token", _("Access token")
    TRUSTED_IP = "trusted_ip", _("Trusted address")
    APPROVALS = "approvals", _("Approvals")
    TEMPLATE = "template", _("Approval template")
    MESSAGES = "messages", _("Messages")
    CARDS = "cards", _("Cards")
    DIRECTORY = "directory", _("Directory")
    CUSTOMERS = "customers", _("Customers")
    CALLBACK = "callback", _("Callback address")


class CapabilityResult(models.Model):
    """What the last probe of one capability of one app found. Sentence and remedy follow from the code when read."""

    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="capabilities")
    capability = models.CharField(_("capability"), max_length=12, choices=Capability.choices)
    ok = models.BooleanField(_("works"), null=True, help_text=_("Empty: could not be told."))
    errcode = models.IntegerField(_("error code"), null=True, blank=True)
    finding = models.CharField(
        _("finding"), max_length=40, blank=True, help_text=_("Our own word where WeCom gives no code.")
    )
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    checked_at = models.DateTimeField(_("checked at"))

    class Meta:
        verbose_name = _("capability")
        verbose_name_plural = _("capabilities")
        constraints = [
            models.UniqueConstraint(fields=["config", "capability"], name="wecom_one_result_per_capability"),
        ]

    def __str__(self) -> str:
        return f"{self.config} · {self.get_capability_display()}"


class KeyCanary(models.Model):
    """One sealed word that everybody knows: whether FIELD_ENCRYPTION_KEYS still open what is stored here."""

    sealed = SealedField(_("sealed"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("key canary")
        verbose_name_plural = _("key canaries")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
