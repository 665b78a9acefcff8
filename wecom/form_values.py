"""The values of an approval form, read back as plain text (docs 91853, 91983). Django-free."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def plain_values(contents: Iterable[Any]) -> dict[str, str]:
    """Control id to plain text for ``apply_data.contents``.

    A value object also carries unrelated empty keys, so the key is chosen by the control's type. Several choices are
    joined with commas. Controls without a plain value (tables, tips, locations) are left out.
    """
    values: dict[str, str] = {}
    for content in contents:
        if not isinstance(content, Mapping):
            continue
        read, value = READERS.get(str(content.get("control"))), content.get("value")
        if read is not None and isinstance(value, Mapping) and content.get("id"):
            values[str(content["id"])] = read(value)
    return values


def _one(key: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda value: _plain(value.get(key))


def _joined(key: str, part: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda value: _join(value.get(key), part)


def _join(items: Any, part: str) -> str:
    found = items if isinstance(items, list) else []
    return ",".join(_plain(item.get(part)) for item in found if isinstance(item, Mapping))


def _plain(value: Any) -> str:
    return "" if value is None or isinstance(value, Mapping | list) else str(value)


def _date(value: Mapping[str, Any]) -> str:
    # The documented example of the answer lacks the "date" wrapper that the request has: accept both.
    inner = value.get("date")
    return _plain((inner if isinstance(inner, Mapping) else value).get("s_timestamp"))


def _date_range(value: Mapping[str, Any]) -> str:
    inner = value.get("date_range")
    inner = inner if isinstance(inner, Mapping) else {}
    return f"{_plain(inner.get('new_begin'))},{_plain(inner.get('new_end'))}"


def _selector(value: Mapping[str, Any]) -> str:
    inner = value.get("selector")
    return _join(inner.get("options") if isinstance(inner, Mapping) else None, "key")


def _contact(value: Mapping[str, Any]) -> str:
    return _join(value.get("members"), "userid") or _join(value.get("departments"), "openapi_id")


READERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "Text": _one("text"),
    "Textarea": _one("text"),
    "Number": _one("new_number"),
    "Money": _one("new_money"),
    "Date": _date,
    "DateRange": _date_range,
    "Selector": _selector,
    "Contact": _contact,
    "File": _joined("files", "file_id"),
    "RelatedApproval": _joined("related_approval", "sp_no"),
}
