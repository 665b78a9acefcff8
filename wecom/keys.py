"""The canary: one sealed word that everybody knows, which tells whether FIELD_ENCRYPTION_KEYS still open the database.

It is planted when the tables are made, so that lost keys show at the next start, and not weeks later at the first call
that needs a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config import keys
from config.checks import AT_START
from config.doctor import Result, failed, passed, register_check
from config.sealed import SealBroken
from wecom.models import KeyCanary

WORD = "Quotebridge"
KEYS_DO_NOT_OPEN = "wecom.E001"
NAMED = 3
"""Broken secrets that the doctor names; rotate_keys names them all."""

_REMEDY = gettext_lazy(
    "Put the missing key back at the end of FIELD_ENCRYPTION_KEYS, then run “python manage.py rotate_keys”. If it is "
    "lost for good, enter the secrets again, then run the command."
)


def canary_trouble() -> str:
    """Why the canary cannot be opened; empty when it can, or when there is none yet. Raises DatabaseError."""
    for canary in KeyCanary.objects.order_by("-pk")[:1]:
        try:
            canary.sealed.check()
        except SealBroken as error:
            return str(error)
    return ""


@receiver(post_migrate, sender=apps.get_app_config("wecom"))
def plant_canary(*, using: str = DEFAULT_DB_ALIAS, **_kwargs: Any) -> None:
    """Where something cannot be opened, none is planted: it would say that all is well."""
    if using != DEFAULT_DB_ALIAS:
        return
    try:
        with transaction.atomic():
            if not KeyCanary.objects.exists() and not keys.survey().broken:
                KeyCanary.objects.create(sealed=WORD)
    except DatabaseError:
        return  # migrated to a state without some of the tables


def renew_canary(findings: keys.Findings) -> keys.Findings:
    """After a rotation: a new canary in the place of one that no key opens, if it is all that cannot be opened, for
    then everything else was entered again. Returns what is left to complain about."""
    if findings.broken and all(isinstance(broken.row, KeyCanary) for broken in findings.broken):
        with transaction.atomic():
            KeyCanary.objects.all().delete()
            KeyCanary.objects.create(sealed=WORD)
        findings.broken.clear()
    elif not findings.broken:
        plant_canary()
    return findings


@register(AT_START, Tags.database)
def keys_open_the_database(
    app_configs: Sequence[Any] | None = None, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """With ``check --database default``, with ``migrate``, and at the start of web and workers."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        with transaction.atomic():
            trouble = canary_trouble()
    except DatabaseError:
        return []  # no database or no table yet; others say so
    if not trouble:
        return []
    sentence = _("FIELD_ENCRYPTION_KEYS do not open what this database holds: %(why)s.") % {"why": trouble}
    return [Error(sentence, hint=str(_REMEDY), id=KEYS_DO_NOT_OPEN)]


def examine() -> Result:
    """For the doctor: every secret is opened once."""
    findings = keys.survey()
    if findings.broken:
        named = "; ".join(map(str, findings.broken[:NAMED]))
        sentence = _("%(count)d secrets cannot be opened, such as: %(named)s.")
        return failed(sentence % {"count": len(findings.broken), "named": named}, _REMEDY)
    if findings.older:
        return failed(
            _("%(count)d secrets are sealed with an older key.") % {"count": findings.older},
            _("Run “python manage.py rotate_keys”; then the older key may go."),
        )
    return passed(_("FIELD_ENCRYPTION_KEYS open all %(count)d secrets.") % {"count": findings.current})


register_check("keys", gettext_lazy("Keys"), examine, place=25)
