"""From a library's item to the fields of our copy: one pure function, and the hash that tells whether it changed.

The hash is taken over the item as it came, before anything is parsed: of 100 projects 99 have not changed, and
those cost nothing more than that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from projects.errors import BadProject
from projects.json_text import canonical
from projects.models import ProjectStatus, ProjectType, RemoteSource, Role

FIELDS = ("id", "type", "title", "status", "customer_name", "phone", "updated_at", "stakeholders")
"""The names of DESIGN (“The remote project library”); a source may call them otherwise (``field_map``)."""
PERSON_FIELDS = ("user_id", "name", "wecom_userid", "phone", "email")
LONGEST_ID = 100
FORMAT = 1
"""Part of every hash. Raise it when parsing changes, and the next run writes every copy anew."""
HASH_BYTES = 16
MILLISECONDS_FROM = 100_000_000_000
"""A number of seconds beyond this is one of milliseconds."""
_TYPES, _STATUSES, _ROLES = tuple(ProjectType.values), tuple(ProjectStatus.values), tuple(Role.values)
_ADDRESSLESS = re.compile(r"[/\\]|^\.{1,2}$")
"""In an ID: what browsers and proxies take for a path of several parts, however it is encoded."""
_UNSTORABLE = (rb"\u0000", rb"\ud")
"""In an item as canonical JSON: what no column takes, or harmless look-alikes."""


class Parsed(NamedTuple):
    """One project as our columns hold it, under the names of ``ProjectCache``."""

    remote_id: str
    type: str
    title: str
    status: str
    customer_name: str
    phone: str
    remote_updated_at: datetime | None
    stakeholders: list[dict[str, str]]
    extra: dict[str, Any]
    content_hash: str


class Fetched(NamedTuple):
    """A project as its library gave it when asked then."""

    project: Parsed
    asked_at: datetime


class Reader:
    """Reads the items of one source: its names for our fields are looked up once."""

    def __init__(self, source: RemoteSource) -> None:
        self.names = {field: str(source.field_map.get(field) or field) for field in FIELDS}
        self._id_name = self.names["id"]
        self._other_names = tuple(self.names[field] for field in FIELDS[1:])
        self._taken = frozenset(self.names.values())
        mapping = json.dumps([FORMAT, self.names], sort_keys=True).encode()
        self._seed = hashlib.blake2b(mapping, digest_size=HASH_BYTES)

    def id_of(self, item: Any) -> str:
        """The project's ID. Raises BadProject when there is none that we can keep."""
        if not isinstance(item, dict):
            raise BadProject(_("It is no object but %(kind)s.") % {"kind": type(item).__name__})
        value = item.get(self._id_name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise BadProject(_("It has no “%(field)s”.") % {"field": self._id_name})
        value = value.strip()
        if len(value) > LONGEST_ID or not value.isprintable():
            raise BadProject(_("“%(field)s” is too long or not plain text.") % {"field": self._id_name})
        return value

    def hash_of(self, item: Any) -> str:
        """Equal for equal content, whatever the order of its fields; another one when the field names change."""
        return self._hash(canonical(item))

    def _hash(self, text: bytes) -> str:
        digest = self._seed.copy()
        digest.update(text)
        return digest.hexdigest()

    def parse(self, item: Any) -> Parsed:
        """Raises BadProject with the reason."""
        remote_id = self.id_of(item)
        if _ADDRESSLESS.search(remote_id):
            raise BadProject(
                _("“%(field)s” holds a slash or is nothing but dots: no address could lead to the project.")
                % {"field": self._id_name}
            )
        text = canonical(item)
        if any(mark in text for mark in _UNSTORABLE):
            item = _storable(item)
        kind, title, status, customer_name, phone, updated_at, stakeholders = map(item.get, self._other_names)
        return Parsed(  # by place: by name takes as long again
            remote_id,
            self._word("type", kind, _TYPES),
            self._title(title),
            self._word("status", status, _STATUSES),
            _text(customer_name)[:200],
            _text(phone)[:50],
            read_moment(updated_at),
            _people(stakeholders),
            {name: content for name, content in item.items() if name not in self._taken},
            self._hash(text),
        )

    def _word(self, field: str, value: Any, known: Sequence[str]) -> str:
        if type(value) is str and value in known:  # nearly always
            return value
        word = _text(value).lower()
        if word not in known:
            raise BadProject(
                _("“%(field)s” is %(value)s; it must be one of %(known)s.")
                % {
                    "field": self.names[field],
                    "value": json.dumps(value, ensure_ascii=False)[:60],
                    "known": ", ".join(known),
                }
            )
        return word

    def _title(self, value: Any) -> str:
        if not (title := _text(value)):
            raise BadProject(_("It has no “%(field)s”.") % {"field": self.names["title"]})
        return title[:300]


def parse(source: RemoteSource, item: Any) -> Parsed:
    """One item of ``source``. Raises BadProject with the reason."""
    return Reader(source).parse(item)


def read_moment(value: Any) -> datetime | None:
    """A time as libraries write them: ISO 8601 (without a zone: in ours), or seconds or milliseconds since 1970.

    ``None`` when it is none of these.
    """
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000 if abs(value) >= MILLISECONDS_FROM else value, UTC)
        else:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:  # most of what is no text
        return ""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _people(value: Any) -> list[dict[str, str]]:
    """Those whose role is one of ours; of each what is filled in."""
    people = []
    for person in value if isinstance(value, list) else []:
        role = _text(person.get("role")).lower() if isinstance(person, dict) else ""
        if role in _ROLES:
            one = {"role": role, "name": ""}
            for field in PERSON_FIELDS:
                if field in person and (text := _text(person[field])):
                    one[field] = text
            people.append(one)
    return people


def _storable(value: Any) -> Any:
    """``value`` without what no database column takes: NUL, half a surrogate pair."""
    match value:
        case str():
            clean = value.replace("\0", "")
            return clean if clean.isascii() else clean.encode("utf-8", "replace").decode()
        case dict():
            return {_storable(name): _storable(content) for name, content in value.items()}
        case list():
            return [_storable(content) for content in value]
        case _:
            return value
