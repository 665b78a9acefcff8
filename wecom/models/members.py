"""Who is who: departments and members, as WeCom tells and as people added them.

A row that left WeCom keeps its place with ``deleted_at``. ``None`` in a column that WeCom may keep from us (doc 90196,
"sensitive") means *unknown*, an empty text means that WeCom said it is empty.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from wecom.models.configs import WeComConfig


class Origin(models.TextChoices):
    WECOM = "wecom", _("From WeCom")
    MANUAL = "manual", _("Added by hand")


class DirectoryQuerySet(models.QuerySet[Any]):
    def current(self) -> Self:
        """Without those that left WeCom: the rows that people choose from."""
        return self.filter(deleted_at=None)


class Department(models.Model):
    """One department (doc 90208)."""

    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="departments")
    remote_id = models.PositiveBigIntegerField(_("department ID"))
    parent_remote_id = models.PositiveBigIntegerField(
        _("parent's ID"), default=0, help_text=_("May name a department that the app cannot see: a root here.")
    )
    name = models.CharField(_("name"), max_length=128, blank=True)
    name_en = models.CharField(_("English name"), max_length=128, blank=True)
    order = models.PositiveBigIntegerField(_("order"), default=0, help_text=_("Larger ones come first."))
    leaders = models.JSONField(_("leaders"), default=list, blank=True, help_text=_("Userids."))
    origin = models.CharField(_("origin"), max_length=6, choices=Origin.choices, default=Origin.WECOM)
    content_hash = models.CharField(_("content hash"), max_length=32, blank=True, editable=False)
    synced_at = models.DateTimeField(_("last change"), null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    objects = DirectoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering = ["-order", "remote_id"]
        constraints = [
            models.UniqueConstraint(fields=["config", "remote_id"], name="wecom_one_department"),
        ]
        indexes = [models.Index(fields=["config", "parent_remote_id"], name="wecom_department_parent")]

    def __str__(self) -> str:
        return self.name or str(self.remote_id)


class Member(models.Model):
    """A WeCom member (doc 90196). ``user`` links it to the person who logs in here."""

    config = models.ForeignKey(WeComConfig, models.CASCADE, verbose_name=_("WeCom app"), related_name="members")
    userid = models.CharField(
        _("userid"),
        max_length=64,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9_\-@.]*$", _("Letters, digits and _-@. only."))],
    )
    name = models.CharField(_("name"), max_length=64)
    alias = models.CharField(_("alias"), max_length=64, blank=True)
    position = models.CharField(_("position"), max_length=128, blank=True)
    telephone = models.CharField(_("landline"), max_length=64, blank=True)
    mobile = models.CharField(_("mobile"), max_length=32, null=True, blank=True)  # noqa: DJ001 - unknown is not empty
    email = models.CharField(_("email"), max_length=128, null=True, blank=True)  # noqa: DJ001
    biz_mail = models.CharField(_("company email"), max_length=128, null=True, blank=True)  # noqa: DJ001
    gender = models.CharField(_("gender"), max_length=1, null=True, blank=True)  # noqa: DJ001
    avatar = models.CharField(_("picture"), max_length=500, null=True, blank=True)  # noqa: DJ001
    status = models.PositiveSmallIntegerField(
        _("state"),
        null=True,
        blank=True,
        choices={1: _("Active"), 2: _("Disabled"), 4: _("Not activated"), 5: _("Left the company")},
    )
    main_department = models.PositiveBigIntegerField(_("main department's ID"), null=True, blank=True)
    direct_leader = models.CharField(_("direct leader"), max_length=64, blank=True, help_text=_("Userid."))
    extra = models.JSONField(_("other fields"), default=dict, blank=True)
    departments: models.ManyToManyField[Department, MemberDepartment] = models.ManyToManyField(
        Department, through="MemberDepartment", related_name="members", verbose_name=_("departments")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("staff user"),
        related_name="wecom_member",
    )
    suggested_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        verbose_name=_("suggested staff user"),
        related_name="+",
        help_text=_("Has the same userid or email address; a person confirms."),
    )
    origin = models.CharField(_("origin"), max_length=6, choices=Origin.choices, default=Origin.MANUAL, editable=False)
    content_hash = models.CharField(_("content hash"), max_length=32, blank=True, editable=False)
    synced_at = models.DateTimeField(_("last change"), null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(_("gone since"), null=True, blank=True, editable=False)

    objects = DirectoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["name", "userid"]
        constraints = [
            # userids are case-insensitive (doc 90195): stored as given, compared folded
            models.UniqueConstraint("config", Lower("userid"), name="wecom_member_userid_folded"),
        ]
        indexes = [models.Index(fields=["name", "userid"], name="wecom_member_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.userid})"


class MemberDepartment(models.Model):
    """A member's place in one department."""

    member = models.ForeignKey(Member, models.CASCADE, verbose_name=_("member"), related_name="places")
    department = models.ForeignKey(Department, models.CASCADE, verbose_name=_("department"), related_name="places")
    order = models.PositiveBigIntegerField(_("order"), default=0)
    is_leader = models.BooleanField(_("leader"), default=False)

    class Meta:
        verbose_name = _("place in a department")
        verbose_name_plural = _("places in departments")
        constraints = [
            models.UniqueConstraint(fields=["member", "department"], name="wecom_one_place"),
        ]

    def __str__(self) -> str:
        return f"{self.member} · {self.department}"
