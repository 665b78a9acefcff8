"""WeCom's callback cryptography (docs 90968, 90307): signature, AES, and the one family of errors around it.

Django-free. ``CallbackError`` covers everything that may be wrong with a callback. Its ``code`` is the return code of
WeCom's own crypto libraries (doc 90307) where they have one, else the HTTP status of the refusal; official codes are
negative, so the two cannot be confused. The codes that cannot occur here have no class: SHA-1, AES and Base64 do not
fail on bytes of our own making (-40003, -40006, -40007, -40009), and no event of ours takes a reply (-40011).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from typing import ClassVar

from Crypto.Cipher import AES

ENCODED_KEY_LENGTH = 43
KEY_BYTES = 32
RANDOM_BYTES = 16
LENGTH_BYTES = 4
PAD_BLOCK = 32
"""WeCom pads to a multiple of 32, not to AES's own 16, so pads run up to 32 and stock unpadders fail (doc 90968)."""


def gettext_noop(message: str) -> str:
    """Marks ``message`` for the catalogues; Django's own would need settings. Whoever shows it translates it."""
    return message


class CallbackError(Exception):
    """A callback that is turned away.

    ``code``: see the module; ``http_status``: what to answer; ``reason``: a sentence for the person who sets the
    callback up (an English message id).
    """

    code: ClassVar[int]
    http_status: ClassVar[int]
    default_reason: ClassVar[str]

    def __init__(self, reason: str = "") -> None:
        self.reason = reason or self.default_reason
        super().__init__(f"{self.code}: {self.reason}")


class SignatureMismatch(CallbackError):
    code = -40001
    http_status = 403
    default_reason = gettext_noop("The signature does not match: the token here and the one in WeCom differ.")


class Unparsable(CallbackError):
    code = -40002
    http_status = 400
    default_reason = gettext_noop("The message is not well-formed XML or JSON.")


class IllegalAesKey(CallbackError):
    code = -40004
    http_status = 500
    default_reason = gettext_noop("The EncodingAESKey must be exactly 43 letters and digits.")


class ReceiveIdMismatch(CallbackError):
    code = -40005
    http_status = 403
    default_reason = gettext_noop("The message is meant for another company: the corp ID inside it differs.")


class IllegalBuffer(CallbackError):
    code = -40008
    http_status = 400
    default_reason = gettext_noop(
        "The decrypted message is damaged: the EncodingAESKey here and the one in WeCom differ."
    )


class IllegalBase64(CallbackError):
    code = -40010
    http_status = 400
    default_reason = gettext_noop("The encrypted text is not valid Base64.")


def decode_aes_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes behind an EncodingAESKey. Raises IllegalAesKey."""
    if len(encoding_aes_key) != ENCODED_KEY_LENGTH:
        raise IllegalAesKey
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except ValueError as error:
        raise IllegalAesKey from error
    if len(key) != KEY_BYTES:
        raise IllegalAesKey
    return key


class CallbackCrypto:
    """Signs, checks, encrypts and decrypts with one token and EncodingAESKey.

    ``receive_id`` is the corp ID for self-built apps and for contact sync. Raises IllegalAesKey. Instances hold no
    state between calls and may be shared by threads.
    """

    __slots__ = ("_key", "_receive_id", "_token")

    def __init__(self, token: str, encoding_aes_key: str, receive_id: str) -> None:
        self._key = decode_aes_key(encoding_aes_key)
        self._token = token
        self._receive_id = receive_id.encode()

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """msg_signature, 40 lower-case hex digits. All values exactly as received; only these four take part."""
        # Code points sort like their UTF-8 bytes. A lone surrogate can come out of JSON; it must mismatch, not crash.
        joined = "".join(sorted((self._token, timestamp, nonce, encrypted)))
        return hashlib.sha1(joined.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()

    def check(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bool:
        """Whether ``signature`` is right, compared in constant time."""
        expected = self.sign(timestamp, nonce, encrypted)
        return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))

    def encrypt(self, message: bytes, prefix: bytes | None = None) -> str:
        """Base64 ciphertext. ``prefix``: the 16 random bytes, given only to reproduce a known text."""
        random = os.urandom(RANDOM_BYTES) if prefix is None else prefix
        buffer = random + len(message).to_bytes(LENGTH_BYTES, "big") + message + self._receive_id
        pad = PAD_BLOCK - len(buffer) % PAD_BLOCK
        return base64.b64encode(self._cipher().encrypt(buffer + bytes([pad]) * pad)).decode()

    def decrypt(self, encrypted: str) -> bytes:
        """The message inside ``encrypted``. Raises IllegalBase64, IllegalBuffer, ReceiveIdMismatch.

        Check the signature first: it is what tells a stranger's text from WeCom's.
        """
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError) as error:
            raise IllegalBase64 from error
        if not raw or len(raw) % AES.block_size:
            raise IllegalBuffer
        message, receive_id = _unpack(self._cipher().decrypt(raw))
        if not hmac.compare_digest(receive_id, self._receive_id):
            raise ReceiveIdMismatch
        return message

    def _cipher(self) -> AES.CbcMode:
        # The first 16 bytes of the key are the IV, always (doc 90968).
        return AES.new(self._key, AES.MODE_CBC, self._key[: AES.block_size])


def _unpack(buffer: bytes) -> tuple[bytes, bytes]:
    """Split ``random[16] length[4] message receive_id pad`` into message and receive_id. Raises IllegalBuffer."""
    pad = buffer[-1]
    head = RANDOM_BYTES + LENGTH_BYTES
    if not 1 <= pad <= PAD_BLOCK or len(buffer) < head + pad or buffer[-pad:] != bytes([pad]) * pad:
        raise IllegalBuffer
    end = head + int.from_bytes(buffer[RANDOM_BYTES:head], "big")
    if end > len(buffer) - pad:
        raise IllegalBuffer
    return buffer[head:end], buffer[end:-pad]
