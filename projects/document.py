"""What of a project is shown to whom, ready as JSON.

``ProjectCache.document`` is the text that links are answered with: the phone is masked and times are written in
the chosen format, so that reading costs no work. It is written with the copy, and anew when the format changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from functools import lru_cache
from operator import attrgetter
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from projects import json_text
from projects.models import ProjectCache, ProjectType, TimeDisplayConfig
from projects.parsing import read_moment

AFTERSALES = ProjectType.AFTERSALES.value
BATCH = 500
PAYMENT_TIMES = frozenset({"payment_time", "paid_at"})
_PHONE_KEY = re.compile(
    r"(?i:phone|mobile|电话|手机)|(?:^|[^a-zA-Z])(?i:tel)(?![a-z])|(?<=[a-z])Tel(?![a-z])|^tel(?=[A-Z])"
)
_NUMBER = re.compile(r"\+?\d[\d\s().\-]*")
_TIME_KEY = re.compile(r"(?:_at|_time)$")
TIME_PART = re.compile(r"YYYY|MM|M|DD|D|HH|H|mm|m|ss|s")
TIME_PARTS = {
    "YYYY": ("%04d", "year"),
    "MM": ("%02d", "month"),
    "M": ("%d", "month"),
    "DD": ("%02d", "day"),
    "D": ("%d", "day"),
    "HH": ("%02d", "hour"),
    "H": ("%d", "hour"),
    "mm": ("%02d", "minute"),
    "m": ("%d", "minute"),
    "ss": ("%02d", "second"),
    "s": ("%d", "second"),
}
"""How each is written, and the attribute of a datetime that it is."""
DATE_LENGTH = len("2024-02-02")
MASKED = 4
"""Digits of a number that are hidden, before the last four: 138****8888."""
MOBILE_LENGTH = len("13812348888")
LONGEST_NUMBER = 15
"""Digits of a phone number (E.164). More are several numbers run together: all are hidden."""


class ProjectFields(Protocol):
    """What both a row of the mirror and a freshly parsed project have."""

    @property
    def remote_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def customer_name(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def remote_updated_at(self) -> datetime | None: ...
    @property
    def stakeholders(self) -> list[dict[str, str]]: ...
    @property
    def extra(self) -> dict[str, Any]: ...


def mask_phone(text: object) -> str:
    """Every number in ``text`` without its middle: 138****8888. Of short ones nothing is left."""
    if type(text) is str and len(text) == MOBILE_LENGTH and text.isascii() and text.isdecimal():
        return _masked(text)
    return _NUMBER.sub(lambda found: _masked(found.group()), str(text))


def _masked(number: str) -> str:
    if len(number) == MOBILE_LENGTH and number.isdecimal():  # nearly all of them
        return f"{number[:3]}{'*' * MASKED}{number[-MASKED:]}"
    places = [place for place, letter in enumerate(number) if letter.isdigit()]
    if len(places) > LONGEST_NUMBER or len(places) < MASKED + 3:
        hidden = places
    else:
        shown_at_end = MASKED if len(places) >= 2 * MASKED + 3 else 2
        hidden = places[: len(places) - shown_at_end][-MASKED:]
    letters = list(number)
    for place in hidden:
        letters[place] = "*"
    return "".join(letters)


def format_time(moment: datetime, pattern: str, zone: str | tzinfo) -> str:
    """``moment`` in ``zone``, written as ``pattern`` says: YYYY MM M DD D HH H mm m ss s; the rest stays."""
    return _writer(pattern)(moment.astimezone(zone_of(zone) if isinstance(zone, str) else zone))


@lru_cache(maxsize=64)
def _writer(pattern: str) -> Callable[[datetime], str]:
    """Writes a moment as ``pattern`` says; what is to be known of the pattern is found out once."""
    template, names, end = "", [], 0
    for found in TIME_PART.finditer(pattern):
        form, name = TIME_PARTS[found.group()]
        template += _literal(pattern[end : found.start()]) + form
        names.append(name)
        end = found.end()
    template += _literal(pattern[end:])
    values: Callable[[datetime], Any] = attrgetter(*names) if names else lambda _moment: ()
    return lambda moment: template % values(moment)


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def public_fields(project: ProjectFields, display: TimeDisplayConfig, *, phone_visible: bool) -> dict[str, Any]:
    """The ``project`` of the API: no stakeholder's contacts, and numbers in full only if ``phone_visible``."""
    pattern = display.aftersales_time_format if project.type == AFTERSALES else display.sales_time_format
    show = _show(pattern, display.timezone, display.show_payment_time, phone_visible)
    fields: dict[str, Any] = {
        "id": project.remote_id,
        "type": project.type,
        "title": project.title,
        "status": project.status,
        "customer_name": project.customer_name,
        "phone": project.phone if phone_visible else mask_phone(project.phone),
        "updated_at": show.moment(project.remote_updated_at) if project.remote_updated_at else None,
        "stakeholders": [{"role": person["role"], "name": person["name"]} for person in project.stakeholders],
    }
    for key, value in show.members(project.extra):
        fields.setdefault(key, value)
    return fields


def write_document(project: ProjectFields, display: TimeDisplayConfig) -> str:
    """The text for links. A link whose role may see numbers is answered with ``public_fields`` instead."""
    return json_text.write(public_fields(project, display, phone_visible=False))


class _Show:
    """How values of a project are shown, nested ones too."""

    def __init__(self, pattern: str, zone: str, payment_times: bool, phone_visible: bool) -> None:
        self._write, self._zone = _writer(pattern), zone_of(zone)
        self._phone_visible = phone_visible
        self._left_out = frozenset() if payment_times else PAYMENT_TIMES

    def moment(self, moment: datetime) -> str:
        return self._write(moment.astimezone(self._zone))

    def members(self, values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for key, value in values.items():
            if key not in self._left_out:
                plain = type(value) is str and _is_plain(key)
                yield key, value if plain else self._value(key, value)

    def _value(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return dict(self.members(value)) if not self._hides(key) else self._masked(value)
        if isinstance(value, list):
            return [self._value(key, one) for one in value]
        if self._hides(key):
            return self._masked(value)
        if isinstance(value, str) and len(value) > DATE_LENGTH and _is_time(key):
            moment = read_moment(value)
            return self.moment(moment) if moment else value
        return value

    def _hides(self, key: str) -> bool:
        return not self._phone_visible and _is_phone(key)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._masked(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._masked(one) for one in value]
        return value if value is None or isinstance(value, bool) else mask_phone(value)


_show = lru_cache(maxsize=16)(_Show)
"""The same for all projects of a type."""


@lru_cache(maxsize=1024)
def _is_phone(key: str) -> bool:
    return bool(_PHONE_KEY.search(key))


@lru_cache(maxsize=1024)
def _is_time(key: str) -> bool:
    return bool(_TIME_KEY.search(key))


@lru_cache(maxsize=1024)
def _is_plain(key: str) -> bool:
    """Texts under this key are shown as they are: most of what there is."""
    return not (_is_phone(key) or _is_time(key))


@lru_cache(maxsize=8)
def zone_of(name: str) -> tzinfo:
    """The time zone called ``name``; the site's own if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a name that was typed past the form's check must not stop a run
        return ZoneInfo(settings.TIME_ZONE)


def rewrite_documents() -> int:
    """Write anew what was written for an older time display; returns how many. Readers do not wait for it."""
    written = 0
    while True:
        display = TimeDisplayConfig.load()
        rows = list(ProjectCache.objects.exclude(document_version=display.version).order_by("pk")[:BATCH])
        if not rows:
            return written
        written += _rewrite(rows, display)


def _rewrite(rows: list[ProjectCache], display: TimeDisplayConfig) -> int:
    """One UPDATE per row, sent together. A row whose content was written meanwhile keeps that."""
    table = connection.ops.quote_name(ProjectCache._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET document = %s, document_version = %s "  # noqa: S608 - a name of ours
            "WHERE id = %s AND content_hash = %s AND document_version = %s",
            [
                (write_document(row, display), display.version, row.pk, row.content_hash, row.document_version)
                for row in rows
            ],
        )
    return len(rows)
