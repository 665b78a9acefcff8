"""The keys that sign links (PROJECT_TOKEN_KEYS): the first one signs, all of them are believed."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings
from jwt import PyJWK

ALGORITHM = "HS256"
# Whether a link has expired is judged against the clock of the caller, together with its row.
_reader = jwt.PyJWT({"verify_exp": False, "verify_iat": False, "verify_nbf": False})


@dataclass(frozen=True, slots=True)
class Key:
    kid: str
    """Follows from the key and says nothing about it."""
    jwk: PyJWK
    header: str
    """The first part of every token that this key has signed."""


@dataclass(frozen=True, slots=True)
class Ring:
    signing: Key
    by_header: Mapping[str, Key]
    decoy: str
    """Looks like a token, and nobody has its key."""


def ring() -> Ring:
    return _ring(tuple(settings.PROJECT_TOKEN_KEYS))


@lru_cache(maxsize=4)
def _ring(texts: tuple[str, ...]) -> Ring:
    keys = [_key(text) for text in texts]
    stranger = _signed({"sub": "nobody"}, keys[0].kid, _jwk(secrets.token_hex()))
    return Ring(keys[0], {key.header: key for key in keys}, stranger)


def _key(text: str) -> Key:
    kid = hashlib.sha256(f"kid:{text}".encode()).hexdigest()[:8]
    jwk = _jwk(text)
    return Key(kid, jwk, _signed({}, kid, jwk).partition(".")[0])


def _jwk(text: str) -> PyJWK:
    """Prepared once; a key given as text would be examined anew for every token."""
    encoded = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
    return PyJWK.from_dict({"kty": "oct", "k": encoded, "alg": ALGORITHM})


def _signed(claims: dict[str, Any], kid: str, jwk: PyJWK) -> str:
    return jwt.encode(claims, jwk, algorithm=ALGORITHM, headers={"kid": kid})


def sign(claims: dict[str, Any]) -> str:
    """A token with these claims, signed with the newest key."""
    key = ring().signing
    return _signed(claims, key.kid, key.jwk)


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a token of ours, expired ones included; ``None`` for everything else.

    A token is ours when its header is, letter by letter, one that we write: whatever else a header can ask for (no
    algorithm, another one, another key) is not even read. Each call computes one HMAC, whatever it is given.
    """
    keys = ring()
    key = keys.by_header.get(token.partition(".")[0])
    if key is None:
        token, key = keys.decoy, keys.signing
    try:
        return _reader.decode(token, key.jwk, algorithms=[ALGORITHM])
    except jwt.InvalidSignatureError:
        return None
    except jwt.InvalidTokenError:  # it broke before its signature was looked at
        return claims_of(keys.decoy)
