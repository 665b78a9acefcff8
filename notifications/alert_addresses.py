"""Where operators are alerted: the addresses of ALERT_URLS, and the rows that people entered in admin."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from config.durable import PermanentFailure
from config.logging import remember_secret
from config.sealed import SealBroken
from notifications.models import AlertAddress
from notifications.senders import UnknownAddress, sender_for

SETTING = "ALERT_URLS"
ROW = "alert-address"
SHORTEST_KEY = 16
"""Characters; the last part of a path that is shorter is an ordinary word."""


@dataclass(frozen=True, slots=True)
class Address:
    """``reference``: what a message's row holds instead of the address itself."""

    reference: str
    name: str


def addresses() -> list[Address]:
    """Everybody who is alerted now."""
    listed = [
        Address(_reference_of(url), _("%(setting)s, address %(place)d") % {"setting": SETTING, "place": place})
        for place, url in enumerate(settings.ALERT_URLS, start=1)
    ]
    rows = AlertAddress.objects.filter(enabled=True).values_list("pk", "name")
    return listed + [Address(f"{ROW}:{pk}", name) for pk, name in rows]


def reveal(reference: str) -> str:
    """The address that ``reference`` names. Raises PermanentFailure when it is gone, off, or cannot be opened."""
    kind, _colon, rest = reference.partition(":")
    if kind == SETTING:
        for url in settings.ALERT_URLS:
            if _reference_of(url) == reference:
                return known_address(url)
        raise PermanentFailure(_("The alert address no longer stands in ALERT_URLS."))
    row = AlertAddress.objects.filter(pk=rest, enabled=True).first() if kind == ROW else None
    if row is None:
        raise PermanentFailure(_("The alert address was removed or switched off."))
    return open_address(row)


def open_address(row: AlertAddress) -> str:
    """The address of a row. Raises PermanentFailure when it cannot be opened or used."""
    try:
        return known_address(row.url.reveal())
    except SealBroken as error:
        sentence = _("The alert address cannot be opened. %(remedy)s")
        remedy = _("Enter it again, or put the lost key back into FIELD_ENCRYPTION_KEYS.")
        raise PermanentFailure(sentence % {"remedy": remedy}) from error


def known_address(url: str) -> str:
    """``url``, which no log line of this process shows from now on. Raises PermanentFailure when nobody sends to it."""
    remember_address(url)
    try:
        sender_for(url)
    except UnknownAddress as error:
        raise PermanentFailure(str(error)) from None
    return url


def remember_address(url: str) -> None:
    """Its key may stand anywhere: libraries log the path, the query, or a value of it."""
    scheme, _colon, rest = url.strip().partition("://")
    host, _slash, behind = rest.partition("/")
    path, _mark, query = behind.partition("?")
    values = [part.partition("=")[2] for part in query.split("&")]
    words = [path.rpartition("/")[2], "" if scheme.startswith("http") else host]  # tgram://<token>/…
    remember_secret(url, behind, *values, *[word for word in words if len(word) >= SHORTEST_KEY])


def _reference_of(url: str) -> str:
    return f"{SETTING}:{hashlib.sha256(url.encode()).hexdigest()[:12]}"
