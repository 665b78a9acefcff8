"""Secrets at rest: AES-256-GCM, with the key's id in the value and the column's name as associated data.

A value cannot be moved to another column, a wrong key cannot pass for an empty secret, and a row that cannot be opened
keeps its ciphertext when it is saved again. Reading a row never decrypts: only ``Sealed.reveal()`` does, so a list
page works with a broken row in it, and ``str()``, logs and templates show nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext as _

from config.logging import remember_secret

MASK = "******"
VERSION = "s1"
NONCE_BYTES = 12
TAG_BYTES = 16


class SealBroken(Exception):
    """The value cannot be opened: its key is not in FIELD_ENCRYPTION_KEYS, or it was tampered with."""


def key_bytes(key: str) -> bytes:
    """The 32 bytes of one entry of FIELD_ENCRYPTION_KEYS (base64, standard or URL-safe). Raises ValueError."""
    try:
        raw = base64.urlsafe_b64decode(key.replace("+", "-").replace("/", "_") + "=" * (-len(key) % 4))
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if len(raw) != 32:
        raise ValueError(f"{len(raw)} bytes instead of 32")
    return raw


def _key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]


def seal(plaintext: str, context: str) -> str:
    """Ciphertext of ``plaintext`` under the first key; ``context`` (the column) must be given again to open it."""
    key = key_bytes(settings.FIELD_ENCRYPTION_KEYS[0])
    nonce = get_random_bytes(NONCE_BYTES)
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
    cipher.update(context.encode())
    body, tag = cipher.encrypt_and_digest(plaintext.encode())
    return f"{VERSION}:{_key_id(key)}:{base64.b64encode(nonce + tag + body).decode()}"


def unseal(ciphertext: str, context: str) -> str:
    """The plaintext. Raises SealBroken."""
    try:
        version, key_id, encoded = ciphertext.split(":")
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise SealBroken(_("not a sealed value")) from error
    keys = {_key_id(key): key for key in map(key_bytes, settings.FIELD_ENCRYPTION_KEYS)}
    if version != VERSION or key_id not in keys:
        missing = _("sealed with key %(key)s, which FIELD_ENCRYPTION_KEYS does not hold")
        raise SealBroken(missing % {"key": key_id})
    cipher = AES.new(keys[key_id], AES.MODE_GCM, nonce=raw[:NONCE_BYTES])
    cipher.update(context.encode())
    try:
        return cipher.decrypt_and_verify(
            raw[NONCE_BYTES + TAG_BYTES :], raw[NONCE_BYTES : NONCE_BYTES + TAG_BYTES]
        ).decode()
    except ValueError as error:
        raise SealBroken(_("the value was changed or belongs to another column")) from error


def is_current(ciphertext: str) -> bool:
    """Whether the first key has sealed it, so that a rotation has nothing to do."""
    return ciphertext.startswith(f"{VERSION}:{_key_id(key_bytes(settings.FIELD_ENCRYPTION_KEYS[0]))}:")


class Sealed:
    """One secret of one row: the text as given, or the ciphertext as stored."""

    __slots__ = ("_ciphertext", "_context", "_plaintext")

    def __init__(self, context: str, *, plaintext: str | None = None, ciphertext: str = "") -> None:
        self._context, self._plaintext, self._ciphertext = context, plaintext, ciphertext

    def reveal(self) -> str:
        """The secret, which no log line of this process shows from now on. Raises SealBroken."""
        if self._plaintext is None:
            self._plaintext = unseal(self._ciphertext, self._context) if self._ciphertext else ""
        remember_secret(self._plaintext)
        return self._plaintext

    def check(self) -> None:
        """Raise SealBroken if the secret cannot be opened. Unlike ``reveal``, nothing is kept of what it is."""
        if self._plaintext is None and self._ciphertext:
            unseal(self._ciphertext, self._context)

    def for_database(self) -> str:
        if not self._ciphertext and self._plaintext:
            self._ciphertext = seal(self._plaintext, self._context)
        return self._ciphertext

    def __bool__(self) -> bool:
        return bool(self._ciphertext or self._plaintext)

    def __str__(self) -> str:
        return MASK if self else ""

    def __repr__(self) -> str:
        return f"<Sealed {self._context}>"

    def __eq__(self, other: object) -> bool:
        """Equal when certainly the same; two ciphertexts of one secret are not compared by opening them."""
        if not isinstance(other, Sealed):
            return NotImplemented
        return (self._context, self._ciphertext, self._plaintext) == (
            other._context,
            other._ciphertext,
            other._plaintext,
        )

    def __hash__(self) -> int:
        return hash(self._context)


class _SealedAttribute(DeferredAttribute):
    """Turns whatever is assigned into a Sealed, so that the attribute has one type before and after saving."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class SealedField(models.TextField):
    """A text column whose value is sealed. The attribute is a ``Sealed``; assign a str to replace the secret."""

    descriptor_class = _SealedAttribute
    _pyi_private_set_type: str | Sealed  # type: ignore[assignment]  # what mypy's Django plugin reads
    _pyi_private_get_type: Sealed  # type: ignore[assignment]

    @property
    def context(self) -> str:
        return f"{self.model._meta.label_lower}.{self.name}"

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value
        return Sealed(self.context, plaintext=value or "")

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed:
        return Sealed(self.context, ciphertext=value or "")

    def get_prep_value(self, value: Any) -> str:
        return self.to_python(value).for_database()

    def value_to_string(self, obj: models.Model) -> str:
        return MASK  # dumpdata must not carry secrets out, not even sealed ones
