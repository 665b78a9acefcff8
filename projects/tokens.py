"""Links for people outside: made, shown once, revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from projects import keys
from projects.models import ProjectAccessToken, ProjectCache

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

DAYS = 7
MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Issued:
    row: ProjectAccessToken
    token: str
    """Not stored anywhere: whoever makes a link shows it now or never."""
    url: str
    """Of the project's page."""


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def link(project: ProjectCache, token: str) -> str:
    """The address of the project's page for the bearer of ``token``."""
    return f"{settings.API_BASE_URL}/project/{quote(project.remote_id, safe='')}?token={token}"


def issue(
    project: ProjectCache,
    *,
    user_id: str,
    user_name: str,
    access_type: str,
    days: int = DAYS,
    created_by: User | None = None,
) -> Issued:
    """Make a link to ``project`` for one person. ``access_type``: a Role. ``days``: how long it is valid, 1 to 365.

    Raises ValidationError (by field) for input that makes no link.
    """
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": _("A link is valid for 1 to %(most)d days.") % {"most": MOST_DAYS}})
    now = timezone.now().replace(microsecond=0)  # a token tells whole seconds
    row = ProjectAccessToken(
        project=project,
        user_id=user_id.strip(),
        user_name=user_name.strip(),
        access_type=access_type,
        created_by=created_by,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    token = keys.sign(
        {
            "jti": secrets.token_urlsafe(16),
            "project": project.remote_id,
            "sub": row.user_id,
            "role": access_type,
            "iat": int(now.timestamp()),
            "exp": int(row.expires_at.timestamp()),
        }
    )
    row.digest = digest(token)
    row.full_clean()
    row.save(force_insert=True)
    return Issued(row, token, link(project, token))


def revoke(rows: QuerySet[ProjectAccessToken], user: User | None) -> int:
    """Links that are good no longer, from now on; returns how many of ``rows`` were until now."""
    return rows.filter(revoked_at=None).update(revoked_at=timezone.now(), revoked_by=user)
