"""Which WeCom app is meant, and with which credentials its callbacks are read.

The rows rule. The ``WECOM_*`` settings only bootstrap the first row, and stand in for it while the database is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.urls import reverse
from django.utils import translation

from config.sealed import SealBroken
from wecom.callback import OF_ANOTHER_APP, CallbackCredentials, NoCredentials, UnknownAddress
from wecom.crypto import CallbackCrypto, CallbackError, IllegalAesKey, gettext_noop
from wecom.models import Capability, CapabilityResult, WeComConfig

FRESH_FOR = 5.0
"""Seconds for which a process uses credentials without looking again, so that a callback costs one statement."""
BOOTSTRAP_SLUG = "default"
BARE = ""
"""In the place of a slug: the callback address without one, which belongs to the default app."""

_Read = TypeVar("_Read")

_known: dict[str, tuple[float, CallbackCredentials]] = {}
_known_others: dict[str, tuple[float, tuple[CallbackCredentials, ...]]] = {}
"""The other apps' by address: only the bare one has any."""


def default_config() -> WeComConfig | None:
    """The default app: the one marked so, else the oldest enabled one.

    While there is no app at all, it is created from the ``WECOM_*`` settings; None if those are not filled in.
    """
    enabled = enabled_apps()
    found = enabled.first()
    if found is None and settings.WECOM_CORP_ID and settings.WECOM_SECRET:
        if not WeComConfig.objects.exists():
            WeComConfig.objects.get_or_create(slug=BOOTSTRAP_SLUG, defaults=_from_settings())
        found = enabled.first()  # this process's, or that of another one which was faster
    return found


def enabled_apps() -> QuerySet[WeComConfig]:
    """The default app first."""
    return WeComConfig.objects.filter(enabled=True).order_by("-is_default", "pk")


def directory_readers() -> QuerySet[WeComConfig]:
    """The enabled apps that read the directory by schedule: one of each company, or people would be here twice.

    Of the default app's company that one, whatever it may: that it may not is worth an incident. Of another company the
    oldest of which the last probe does not say that it has no right to the directory.
    """
    enabled = enabled_apps()
    default = enabled[:1]
    barred = CapabilityResult.objects.filter(config=OuterRef("pk"), capability=Capability.DIRECTORY, ok=False)
    may_read = enabled.filter(~Exists(barred), corp_id=OuterRef("corp_id")).order_by("pk")
    of_another_company = ~Q(corp_id=Subquery(default.values("corp_id"))) & Q(pk=Subquery(may_read.values("pk")[:1]))
    return enabled.filter(Q(pk=Subquery(default.values("pk"))) | of_another_company)


def _from_settings() -> dict[str, object]:
    with translation.override(settings.LANGUAGE_CODE):  # the operator's, not of whoever asks first
        name = translation.gettext("WeCom")
    return {
        "name": name,
        "corp_id": settings.WECOM_CORP_ID,
        "agent_id": settings.WECOM_AGENT_ID,
        "secret": settings.WECOM_SECRET,
        "callback_token": settings.WECOM_CALLBACK_TOKEN,
        "encoding_aes_key": settings.WECOM_ENCODING_AES_KEY,
        "template_id": settings.WECOM_APPROVAL_TEMPLATE_ID,
        "engine_template_id": settings.WECOM_ENGINE_TEMPLATE_ID,
        "default_applicant": settings.WECOM_DEFAULT_APPLICANT,
        "is_default": True,
    }


def config_for_slug(slug: str) -> WeComConfig | None:
    """The enabled app whose callback address ends in ``slug``; ``BARE`` means the default app."""
    return WeComConfig.objects.filter(slug=slug, enabled=True).first() if slug else default_config()


def callback_url(config: WeComConfig) -> str:
    """The public address of this app's callbacks, as it is entered in WeCom's console: the bare one for the app that is
    marked as the default. Who had the mark before still gets through there (``read_with_credentials``).
    """
    if config.is_default and config.enabled:
        return str(settings.WECOM_CALLBACK_URL)
    return settings.API_BASE_URL + reverse("wecom:callback-of-app", args=[config.slug])


def credentials_for(slug: str) -> CallbackCredentials:
    """What reads the callbacks of this address, at most ``FRESH_FOR`` seconds old.

    While the database is away: the copy this process has, however old, else the settings (default address only).
    Raises UnknownAddress, NoCredentials, IllegalAesKey.
    """
    now = time.monotonic()
    known = _known.get(slug)
    if known is not None and now < known[0]:
        return known[1]
    try:
        credentials = _read(slug)
    except DatabaseTrouble:  # whatever it is (no server, a table half migrated), the callback must not pay for it
        # Looking again for every callback would make each wait for a database that is away.
        credentials = known[1] if known is not None else _credentials_from_settings(slug)
    except CallbackError:
        _known.pop(slug, None)
        raise
    _known[slug] = (now + FRESH_FOR, credentials)
    return credentials


def read_with_credentials(slug: str, read: Callable[[CallbackCredentials], _Read]) -> tuple[CallbackCredentials, _Read]:
    """What ``read`` makes of a callback to this address, and the credentials that fitted it.

    WeCom's console holds the bare address for whichever app was the default when it was entered. So what does not fit
    the app that is it now is tried with every other one. Raises what ``read`` and ``credentials_for`` raise.
    """
    try:
        credentials = credentials_for(slug)
        return credentials, read(credentials)
    except (*OF_ANOTHER_APP, NoCredentials, IllegalAesKey):
        for other in _others() if slug == BARE else ():
            try:
                return other, read(other)
            except OF_ANOTHER_APP:
                continue
        raise


def _others() -> tuple[CallbackCredentials, ...]:
    """Of all enabled apps but the default one; remembered like ``credentials_for``."""
    now = time.monotonic()
    known = _known_others.get(BARE)
    if known is not None and now < known[0]:
        return known[1]
    try:
        others = tuple(_read_others())
    except DatabaseTrouble:
        others = known[1] if known is not None else ()
    _known_others[BARE] = (now + FRESH_FOR, others)
    return others


def _read_others() -> Iterator[CallbackCredentials]:
    default = default_config()
    for config in enabled_apps():
        if config != default:
            with suppress(CallbackError):  # it has none, or none that can be used
                yield credentials_of(config)


@receiver([post_save, post_delete], sender=WeComConfig)
def forget_credentials(**_: Any) -> None:
    """Look again at the next callback. Other processes do so within ``FRESH_FOR`` seconds."""
    _known.clear()
    _known_others.clear()


def _read(slug: str) -> CallbackCredentials:
    config = config_for_slug(slug)
    if config is None:
        raise UnknownAddress if slug else NoCredentials
    return credentials_of(config)


def credentials_of(config: WeComConfig) -> CallbackCredentials:
    """What reads the callbacks of ``config``. Raises NoCredentials, IllegalAesKey."""
    if not (config.callback_token and config.encoding_aes_key):
        raise NoCredentials
    try:
        return CallbackCredentials(
            config_id=config.pk,
            primary=CallbackCrypto(config.callback_token.reveal(), config.encoding_aes_key.reveal(), config.corp_id),
            secondary=_next_pair(config),
            contact=_contact_pair(config),
        )
    except SealBroken as error:
        raise NoCredentials(gettext_noop("The stored callback credentials cannot be opened.")) from error


def _next_pair(config: WeComConfig) -> CallbackCrypto | None:
    """The second pair while credentials are rotated. Either half may be the one that stays."""
    if not (config.next_callback_token or config.next_encoding_aes_key):
        return None
    token = config.next_callback_token or config.callback_token
    key = config.next_encoding_aes_key or config.encoding_aes_key
    return CallbackCrypto(token.reveal(), key.reveal(), config.corp_id)


def _contact_pair(config: WeComConfig) -> CallbackCrypto | None:
    """Of the sync assistant."""
    if not (config.contact_callback_token and config.contact_encoding_aes_key):
        return None
    token, key = config.contact_callback_token.reveal(), config.contact_encoding_aes_key.reveal()
    return CallbackCrypto(token, key, config.corp_id)


def _credentials_from_settings(slug: str) -> CallbackCredentials:
    if slug not in (BARE, BOOTSTRAP_SLUG) or not (settings.WECOM_CALLBACK_TOKEN and settings.WECOM_ENCODING_AES_KEY):
        raise NoCredentials
    crypto = CallbackCrypto(settings.WECOM_CALLBACK_TOKEN, settings.WECOM_ENCODING_AES_KEY, settings.WECOM_CORP_ID)
    return CallbackCredentials(config_id=None, primary=crypto)
