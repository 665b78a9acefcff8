"""The keys that sign links (PROJECT_TOKEN_KEYS): the first one signs, all of them are believed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings
from jwt.algorithms import HMACAlgorithm
from jwt.utils import base64url_decode

from projects import json_text

ALGORITHM = "HS256"
_hs256 = HMACAlgorithm(HMACAlgorithm.SHA256)


@dataclass(frozen=True, slots=True)
class Key:
    kid: str
    """Follows from the key and says nothing about it."""
    secret: bytes
    header: str
    """The first part of every token that this key has signed."""


@dataclass(frozen=True, slots=True)
class Ring:
    signing: Key
    by_header: Mapping[str, Key]


def ring() -> Ring:
    return _ring(tuple(settings.PROJECT_TOKEN_KEYS))


@lru_cache(maxsize=4)
def _ring(texts: tuple[str, ...]) -> Ring:
    keys = [_key(text) for text in texts]
    return Ring(keys[0], {key.header: key for key in keys})


def _key(text: str) -> Key:
    kid = hashlib.sha256(f"kid:{text}".encode()).hexdigest()[:8]
    secret = _hs256.prepare_key(text)
    return Key(kid, secret, _signed({}, kid, secret).partition(".")[0])


def _signed(claims: dict[str, Any], kid: str, secret: bytes) -> str:
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": kid})


def sign(claims: dict[str, Any]) -> str:
    """A token with these claims, signed with the newest key."""
    key = ring().signing
    return _signed(claims, key.kid, key.secret)


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a token of ours (ASCII), expired ones included; ``None`` for everything else.

    A token is ours when its header is, letter by letter, one that we write: whatever else a header can ask for (no
    algorithm, another one, another key) is not even read, and ``jwt.decode``, four times as slow, has nothing left to
    decide. Each call computes one HMAC, whatever it is given.
    """
    keys = ring()
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    key = keys.by_header.get(header)
    genuine = _hs256.verify(signed.encode(), (key or keys.signing).secret, _decoded(signature))
    if key is None or not genuine:
        return None
    claims: dict[str, Any] = json_text.read(_decoded(payload))
    return claims


def _decoded(part: str) -> bytes:
    try:
        return base64url_decode(part)
    except ValueError:
        return b""
