"""Customers that members have in WeCom, and the company's tags (docs 92114, 92117, 92994)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from wecom.models.configs import WeComConfig
from wecom.models.members import Member


class TagGroup(models.Model):
    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="tag_groups")
    group_id = models.CharField(_("group ID"), max_length=64)
    name = models.CharField(_("name"), max_length=100)
    order = models.PositiveBigIntegerField(_("order"), default=0)
    deleted_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    class Meta:
        verbose_name = _("tag group")
        verbose_name_plural = _("tag groups")
        ordering = ["-order", "id"]
        constraints = [models.UniqueConstraint(fields=["config", "group_id"], name="wecom_one_tag_group")]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="tags")
    group = models.ForeignKey(TagGroup, models.CASCADE, verbose_name=_("group"), related_name="tags")
    tag_id = models.CharField(_("tag ID"), max_length=64)
    name = models.CharField(_("name"), max_length=100)
    order = models.PositiveBigIntegerField(_("order"), default=0)
    deleted_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["-order", "id"]
        constraints = [models.UniqueConstraint(fields=["config", "tag_id"], name="wecom_one_tag")]

    def __str__(self) -> str:
        return self.name


class ExternalContact(models.Model):
    """A customer. Who of us knows them, and how, is in ``followers``."""

    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="customers")
    external_userid = models.CharField(_("customer's ID"), max_length=64)
    name = models.CharField(_("name"), max_length=200, blank=True)
    type = models.PositiveSmallIntegerField(_("kind"), default=1, choices={1: _("WeChat user"), 2: _("WeCom user")})
    avatar = models.CharField(_("picture"), max_length=500, blank=True)
    gender = models.PositiveSmallIntegerField(
        _("gender"), default=0, choices={0: _("Unknown"), 1: _("Male"), 2: _("Female")}
    )
    unionid = models.CharField(_("union ID"), max_length=64, blank=True)
    position = models.CharField(_("position"), max_length=128, blank=True)
    corp_name = models.CharField(_("company"), max_length=200, blank=True)
    corp_full_name = models.CharField(_("company's full name"), max_length=200, blank=True)
    content_hash = models.CharField(_("content hash"), max_length=32, blank=True, editable=False)
    synced_at = models.DateTimeField(_("last change"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name", "id"]
        permissions = [("view_customer_phone", _("Can see customers' phone numbers in full"))]
        constraints = [models.UniqueConstraint(fields=["config", "external_userid"], name="wecom_one_customer")]
        indexes = [models.Index(fields=["name", "id"], name="wecom_customer_name")]

    def __str__(self) -> str:
        return self.name or self.external_userid


class Follower(models.Model):
    """One of our members and what they noted about one customer (``follow_info``)."""

    customer = models.ForeignKey(ExternalContact, models.CASCADE, verbose_name=_("customer"), related_name="followers")
    userid = models.CharField(_("userid"), max_length=64)
    member = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, verbose_name=_("member"), related_name="follows"
    )
    remark = models.CharField(_("remark"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    remark_corp_name = models.CharField(_("company by remark"), max_length=200, blank=True)
    remark_mobiles = models.JSONField(_("phones by remark"), default=list, blank=True)
    since = models.DateTimeField(_("since"), null=True, blank=True)
    state = models.CharField(_("channel mark"), max_length=64, blank=True)
    add_way = models.PositiveSmallIntegerField(_("way of adding"), default=0)
    tags: models.ManyToManyField[Tag, models.Model] = models.ManyToManyField(
        Tag, blank=True, verbose_name=_("tags"), related_name="follows"
    )
    content_hash = models.CharField(_("content hash"), max_length=32, blank=True, editable=False)
    removed_by_customer_at = models.DateTimeField(
        _("removed by the customer"),
        null=True,
        blank=True,
        help_text=_("The customer has deleted the member. WeCom goes on telling us of both."),
    )
    deleted_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")
        ordering = ["since", "id"]
        constraints = [models.UniqueConstraint(fields=["customer", "userid"], name="wecom_one_follower")]

    def __str__(self) -> str:
        return f"{self.userid} → {self.customer}"
