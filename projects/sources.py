"""Which libraries there are. The rows rule; the ``REMOTE_API_*`` settings only bootstrap the first one."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from projects.models import RemoteSource

BOOTSTRAP_SLUG = "default"


def enabled_sources() -> list[RemoteSource]:
    """The enabled sources by name; while there is none at all, one is made from the settings if they name it."""
    if settings.REMOTE_API_BASE_URL and not RemoteSource.objects.exists():
        RemoteSource.objects.get_or_create(slug=BOOTSTRAP_SLUG, defaults=_from_settings())
    return list(RemoteSource.objects.filter(enabled=True))


def _from_settings() -> dict[str, str]:
    with translation.override(settings.LANGUAGE_CODE):  # the operator's, not of whoever asks first
        name = gettext("Project library")
    return {"name": name, "base_url": settings.REMOTE_API_BASE_URL, "api_key": settings.REMOTE_API_KEY}
