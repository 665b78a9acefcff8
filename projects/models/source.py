"""Where projects come from."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.sealed import SealedField
from projects.models.kinds import ProjectType, all_types


def is_base_address(text: str) -> None:
    """An http address, of a host without dots too, as in a local network. Raises ValidationError."""
    try:
        parts = urlsplit(text)
        ok = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is none, half an IPv6 address
        ok = False
    if not ok or parts.query or parts.fragment or any(map(str.isspace, text)):
        raise ValidationError(_("Enter an address that starts with http:// or https://."))


class RemoteSource(models.Model):
    """One remote project library (DESIGN: "The remote project library") and how to read it."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    base_url = models.CharField(
        _("base address"),
        max_length=500,
        validators=[is_base_address],
        help_text=_("Projects are read from this address followed by /projects."),
    )
    api_key = SealedField(_("API key"), blank=True, default="")
    types = models.JSONField(
        _("project types"), default=all_types, help_text=_("Which types this library is asked for.")
    )
    field_map = models.JSONField(
        _("field names"),
        default=dict,
        blank=True,
        help_text=_('Our field name → its name in this library, such as {"title": "project_name"}.'),
    )
    page_size = models.PositiveIntegerField(
        _("page size"), default=500, validators=[MinValueValidator(1), MaxValueValidator(2000)]
    )
    connect_timeout = models.FloatField(
        _("connection time-out"),
        default=3.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(60)],
        help_text=_("Seconds."),
    )
    read_timeout = models.FloatField(
        _("answer time-out"),
        default=20.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(300)],
        help_text=_("Seconds that one page may take. A person who looks at a project waits 3 seconds at most."),
    )
    most_removed_percent = models.PositiveSmallIntegerField(
        _("brake"),
        default=20,
        validators=[MaxValueValidator(100)],
        help_text=_("A run that would remove more than this percentage of the mirror stops and removes nothing."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    confirmed_at = models.DateTimeField(
        _("last complete run"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("All projects of this library were as shown here at that time."),
    )
    resume_page = models.PositiveIntegerField(
        _("next page"), default=1, editable=False, help_text=_("Where the next run starts: the last one broke off.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("remote source")
        verbose_name_plural = _("remote sources")
        ordering = ["name", "id"]
        permissions = [("sync_remotesource", _("Can synchronise projects"))]

    def __str__(self) -> str:
        return self.name

    @property
    def known_types(self) -> list[str]:
        """``types`` in the order of ProjectType, without words that are none of ours."""
        return [kind for kind in ProjectType.values if kind in self.types]
