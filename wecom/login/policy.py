"""Who may log in here, and with what."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q

from wecom.configs import default_config

ACTIVE = 1
"""Member.status of somebody who uses WeCom (doc 90196). None is unknown: added by hand, and WeCom vouches at log-in."""
LEFT = 5

CURRENT_STAFF = Q(is_active=True, is_staff=True, wecom_member__isnull=False, wecom_member__deleted_at=None) & (
    Q(wecom_member__status=ACTIVE) | Q(wecom_member__status=None)
)
"""Users who may be logged in by way of WeCom."""


def passwords_are_for_superusers() -> bool:
    """The default, but only while there is another way in: without a WeCom app PASSWORD_LOGIN restricts nobody."""
    return settings.PASSWORD_LOGIN == "superusers" and default_config() is not None  # noqa: S105 - no password
