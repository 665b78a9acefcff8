"""JSON as libraries give it and as we keep it. msgspec reads and writes it several times as fast as the standard
library, which is most of what a synchronisation does, and like it keeps large whole numbers exact."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import msgspec

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_encode_sorted_ascii = json.JSONEncoder(sort_keys=True).encode


def read(content: bytes) -> Any:
    """Numbers beyond all numbers are read as ``None``. Raises ValueError or RecursionError if it is no JSON."""
    try:
        return _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # msgspec refuses what many write: half a surrogate pair, a byte order mark, UTF-16, 1e400
        return json.loads(content, parse_constant=_no_number, parse_float=_finite)


def write(value: Any) -> str:
    return _encode(value).decode()


def canonical(value: Any) -> bytes:
    """The same for equal values, whatever the order of their fields. Half a surrogate pair is written as an escape."""
    try:
        return _encode_sorted(value)
    except UnicodeEncodeError:
        return _encode_sorted_ascii(value).encode()


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
