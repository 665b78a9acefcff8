"""One call of the WeCom API as an endpoint sees it, with the readers that know WeCom's half-parsing.

A body that is not JSON, or a field of the wrong type, is not refused by WeCom as such: it reads what it
can, and ``errmsg`` then carries a warning, possibly next to errcode 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wecom.standin.errors import ApiError

WRONG_JSON = "Warning: wrong json format."
LARGEST_BODY = 1 << 20
_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u([0-9a-fA-F]{4})")


@dataclass(slots=True)
class Call:
    """``after_answer`` holds events to release once the answer is on the wire."""

    endpoint: str
    method: str
    query: Mapping[str, str]
    body: dict[str, Any]
    client_ip: str = "127.0.0.1"
    wrong_json: bool = False
    after_answer: list[int] = field(default_factory=list)

    def text(self, name: str) -> str:
        value = self.body.get(name, "")
        if isinstance(value, str):
            return value
        self.wrong_json = True
        return str(value) if isinstance(value, int | float) else ""

    def integer(self, name: str) -> int | None:
        """The field as a number; None when it is missing or cannot be read as one."""
        value = self.body.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if value is not None:
            self.wrong_json = True
        return int(value) if isinstance(value, str) and value.isdigit() else None

    def seconds(self, name: str) -> int | None:
        """A time stamp; the documents show strings, plain numbers pass as well (doc 91816)."""
        value = self.body.get(name)
        if isinstance(value, str) and value.isdigit():
            return int(value)
        return self.integer(name)

    def items(self, name: str) -> list[Any]:
        value = self.body.get(name, [])
        if isinstance(value, list):
            return value
        self.wrong_json = True
        return []

    def mapping(self, name: str) -> dict[str, Any]:
        value = self.body.get(name, {})
        if isinstance(value, dict):
            return value
        self.wrong_json = True
        return {}


def read_body(raw: bytes) -> tuple[dict[str, Any], bool]:
    """The JSON object in ``raw`` and whether WeCom would have complained about its form.

    Raises ApiError 40206 for a body over 1 MiB and 40033 for ``\\uXXXX`` escapes of real characters.
    """
    if len(raw) > LARGEST_BODY:
        raise ApiError(40206, "request body too large")
    if any(int(digits, 16) >= 0x80 for digits in _ESCAPE.findall(raw)):
        raise ApiError(40033, "invalid characters, send UTF-8 instead of unicode escapes")
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        return {}, True
    return (body, False) if isinstance(body, dict) else ({}, True)
