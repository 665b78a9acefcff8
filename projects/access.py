"""May the bearer of this token look at this project? One HMAC and one row decide, whatever the answer will be."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.prepared import Prepared
from projects import keys
from projects.models import AccessOutcome, ProjectSyncConfig, TimeDisplayConfig
from projects.tokens import digest

LONGEST_TOKEN = 2000
"""Characters; ours have some 300."""

_ROW = Prepared(
    "project_link",
    """
SELECT token.id, token.user_id, token.user_name, token.access_type, token.expires_at, token.revoked_at,
       project.id, project.remote_id, project.document, project.document_version, project.fetched_at,
       source.confirmed_at, config.cache_ttl, CAST(config.phone_visible_to AS text),
       display.version, display.timezone, display.aftersales_time_format, display.sales_time_format,
       display.show_payment_time
FROM projects_projectaccesstoken token
JOIN projects_projectcache project ON project.id = token.project_id
LEFT JOIN projects_remotesource source ON source.id = project.source_id AND project.unconfirmed_since IS NULL
LEFT JOIN projects_projectsyncconfig config ON config.id = 1
LEFT JOIN projects_timedisplayconfig display ON display.id = 1
WHERE token.digest = %s
""",
)
_ANSWERS: dict[AccessOutcome, tuple[int, Any]] = {
    AccessOutcome.INVALID: (401, _("This link is not valid.")),
    AccessOutcome.EXPIRED: (401, _("This link has expired.")),
    AccessOutcome.REVOKED: (403, _("This link has been withdrawn.")),
    AccessOutcome.WRONG_PROJECT: (403, _("This link belongs to another project.")),
    AccessOutcome.THROTTLED: (429, _("Too many requests from your address; try again in a moment.")),
}


class Grant(NamedTuple):
    """A link, and the copy of its project: the columns of one row, in the order of the statement.

    A tuple because one is made for every look.
    """

    token_id: int
    user_id: str
    user_name: str
    access_type: str
    expires_at: datetime
    revoked_at: datetime | None
    project_id: int
    remote_id: str
    document: str
    document_version: int
    fetched_at: datetime
    source_confirmed_at: datetime | None
    """``None`` also while the source's runs do not speak for this copy (``unconfirmed_since``)."""
    cache_ttl: int | None
    """Minutes; ``None`` here and below while nobody has touched that configuration."""
    phone_visible_to: str | None
    display_version: int | None
    zone: str | None
    aftersales_time_format: str | None
    sales_time_format: str | None
    show_payment_time: bool | None

    @property
    def confirmed_at(self) -> datetime:
        return max(self.fetched_at, self.source_confirmed_at or self.fetched_at)

    @property
    def ttl(self) -> timedelta:
        return timedelta(minutes=self.cache_ttl) if self.cache_ttl else ProjectSyncConfig().ttl

    @property
    def phone_visible(self) -> bool:
        """Whether this link shows the customer's number in full."""
        if self.phone_visible_to is None:
            return self.access_type in ProjectSyncConfig().phone_visible_to
        return self.access_type in _roles(self.phone_visible_to)

    @property
    def display(self) -> TimeDisplayConfig:
        """How times are shown now, without another query."""
        if self.display_version is None:
            return TimeDisplayConfig.load()
        return TimeDisplayConfig(
            version=self.display_version,
            timezone=self.zone or "",
            aftersales_time_format=self.aftersales_time_format or "",
            sales_time_format=self.sales_time_format or "",
            show_payment_time=bool(self.show_payment_time),
        )


@lru_cache(maxsize=8)
def _roles(text: str) -> frozenset[str]:
    """The configuration's list, the same in every row."""
    return frozenset(json.loads(text))


class AccessRefused(Exception):
    """Nobody may learn more from it than ``code`` says. ``link`` is for the access log only."""

    def __init__(self, outcome: AccessOutcome, link: Grant | None = None, *, retry_after: int | None = None) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
        self.code = outcome.value
        self.status_code, self.detail = _ANSWERS[outcome]
        self.link = link
        self.retry_after = retry_after
        """Seconds."""


def check(token: str, remote_id: str, *, now: datetime | None = None) -> Grant:
    """The grant of a valid link to the project ``remote_id``. Raises AccessRefused, and the database's own errors."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        token = ""
    claims = keys.claims_of(token)
    found = _find(token)
    outcome = _judge(claims, found, remote_id, now or timezone.now())
    if outcome is not AccessOutcome.ALLOWED or found is None:
        raise AccessRefused(outcome, found)
    return found


def _find(token: str) -> Grant | None:
    row = _ROW.fetch(digest(token))
    if row is None:
        return None
    grant = Grant._make(row)
    return grant if grant.expires_at.tzinfo else Grant._make(map(_aware, row))


def _aware(value: Any) -> Any:
    """SQLite's times have no zone."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _judge(claims: dict[str, Any] | None, link: Grant | None, remote_id: str, now: datetime) -> AccessOutcome:
    same = hmac.compare_digest((link.remote_id if link else "").encode(), remote_id.encode())
    if claims is None:
        return AccessOutcome.INVALID
    if link is None:  # its row went with the nightly purge, or with its project
        return AccessOutcome.EXPIRED if claims["exp"] <= now.timestamp() else AccessOutcome.INVALID
    if link.revoked_at is not None:
        return AccessOutcome.REVOKED
    if link.expires_at <= now or claims["exp"] <= now.timestamp():
        return AccessOutcome.EXPIRED
    return AccessOutcome.ALLOWED if same else AccessOutcome.WRONG_PROJECT
