"""From the bytes of a request to a verified event, and nothing else. Django-free, no I/O, no clock of its own.

Order of the checks: what is asked (parameters, size), who asks (signature, decryption, receiveid), when (age). Docs
90930, 90238, 90968.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from wecom import xml
from wecom.crypto import (
    CallbackCrypto,
    CallbackError,
    IllegalBuffer,
    ReceiveIdMismatch,
    SignatureMismatch,
    Unparsable,
    gettext_noop,
)
from wecom.reading import instant

MOST_BODY_BYTES = 1024 * 1024
OLDEST = timedelta(hours=1)
"""WeCom names no limit, and a retry may carry its first timestamp: a guard against replays, not a deadline."""
CHECK_EVENT = "quotebridge_check"
"""An event of our own, which the callback doctor sends through the public address: it is answered and dropped."""
LONGEST_EVENT_ID = 190
LONGEST_EVENT_NAME = 64


class ParameterMissing(CallbackError):
    code = 400
    http_status = 400
    default_reason = gettext_noop(
        "msg_signature, timestamp or nonce is missing from the address: this is no call from WeCom."
    )


class TooLarge(CallbackError):
    code = 413
    http_status = 413
    default_reason = gettext_noop("The body is larger than 1 MiB.")


class TooOld(CallbackError):
    code = 403
    http_status = 403
    default_reason = gettext_noop(
        "The timestamp is more than an hour off: a replayed request, or a wrong clock on this server."
    )


class UnknownAddress(CallbackError):
    code = 404
    http_status = 404
    default_reason = gettext_noop("No enabled WeCom app has this callback address.")


class NoCredentials(CallbackError):
    code = 503
    http_status = 503
    default_reason = gettext_noop("No callback token and EncodingAESKey are known for this address.")


OF_ANOTHER_APP = (SignatureMismatch, IllegalBuffer, ReceiveIdMismatch)
"""How the wrong credentials show: another token, another EncodingAESKey, another company."""


@dataclass(frozen=True, slots=True)
class CallbackCredentials:
    """What is needed to read the callbacks of one app. Two pairs may be live while they are rotated. The sync
    assistant, which reports changes of members, signs with a pair of its own (doc 90967)."""

    config_id: int | None
    """Primary key of the WeComConfig; None when all that is known are the settings, the database being away."""
    primary: CallbackCrypto
    secondary: CallbackCrypto | None = None
    contact: CallbackCrypto | None = None

    def open(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> tuple[str, bytes]:
        """The name of the pair that fits (``primary``, ``secondary``, ``contact``) and the decrypted message.

        Raises SignatureMismatch when no token signed this, else what decryption raises. A matching signature is
        not the last word: a rotation may change the EncodingAESKey alone.
        """
        failure: CallbackError | None = None
        for name, crypto in self._pairs():
            if crypto is not None and crypto.check(signature, timestamp, nonce, encrypted):
                try:
                    return name, crypto.decrypt(encrypted)
                except CallbackError as error:
                    failure = failure or error
        raise failure or SignatureMismatch()

    def _pairs(self) -> tuple[tuple[str, CallbackCrypto | None], ...]:
        return ("primary", self.primary), ("secondary", self.secondary), ("contact", self.contact)


@dataclass(frozen=True, slots=True)
class OpenedCallback:
    """One verified, decrypted event. Texts are as WeCom sent them, ``""`` where it sent none."""

    event_id: str
    event: str
    change_type: str
    subject: str
    """What the event is about: the approval number (OA), our own number (engine), the card's task ID."""
    from_user: str
    created: datetime | None
    payload: str
    """The decrypted XML."""
    credential: str
    """``primary``, ``secondary`` or ``contact``."""


def verify_echo(credentials: CallbackCredentials, query: Mapping[str, str], *, now: datetime) -> bytes:
    """The bare bytes to answer a URL verification with (doc 90930). Raises CallbackError."""
    # A proxy that decodes twice turns + into a space; Base64 has no spaces, so turning them back is safe.
    echo = query.get("echostr", "").replace(" ", "+")
    if not echo:
        raise ParameterMissing(
            gettext_noop("echostr is missing from the address: this is no URL verification from WeCom.")
        )
    _, message = _verify(credentials, query, echo, now)
    return message


def open_callback(
    credentials: CallbackCredentials, query: Mapping[str, str], body: bytes, *, now: datetime | None
) -> OpenedCallback:
    """Verify and read one POSTed callback. ``now=None`` leaves the age unchecked (a spooled callback). Raises
    CallbackError."""
    if len(body) > MOST_BODY_BYTES:
        raise TooLarge
    credential, message = _verify(credentials, query, _encrypted_text(body), now)
    return _read(message, credential)


def _verify(
    credentials: CallbackCredentials, query: Mapping[str, str], encrypted: str, now: datetime | None
) -> tuple[str, bytes]:
    signature, timestamp, nonce = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
    if not (signature and timestamp and nonce):
        raise ParameterMissing
    credential, message = credentials.open(signature, timestamp, nonce, encrypted)
    if now is not None:
        sent = instant(timestamp)
        if sent is None or abs(now - sent) > OLDEST:
            raise TooOld
    return credential, message


def _encrypted_text(body: bytes) -> str:
    """The ciphertext of the outer packet: XML, or the JSON of smart bots with lower-case keys (doc 101033)."""
    outer = _json(body) if body.lstrip()[:1] == b"{" else xml.parse(body)
    encrypted = xml.text(outer, "Encrypt") or xml.text(outer, "encrypt")
    if not encrypted:
        raise Unparsable(gettext_noop("The body has no Encrypt element."))
    return encrypted


def _json(body: bytes) -> dict[str, Any]:
    try:
        outer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unparsable from error
    if not isinstance(outer, dict):
        raise Unparsable
    return outer


def _read(message: bytes, credential: str) -> OpenedCallback:
    doc = xml.parse(message, levels=2)  # the subject lies no deeper; the worker reads the rest
    event = (xml.text(doc, "Event") or xml.text(doc, "MsgType"))[:LONGEST_EVENT_NAME]
    return OpenedCallback(
        event_id=_event_id(doc, event, message),
        event=event,
        change_type=xml.text(doc, "ChangeType")[:LONGEST_EVENT_NAME],
        subject=subject_of(doc),
        from_user=xml.text(doc, "FromUserName")[:128],
        created=instant(xml.text(doc, "CreateTime")),
        payload=message.decode(),
        credential=credential,
    )


def _event_id(doc: Mapping[str, Any], event: str, message: bytes) -> str:
    """``EventID`` where an event has one; the documented events have none, so ``<Event>:<sha256 of the message>``.

    Never sender and second, which the documentation advises: approving many forms at once yields many ``sys`` events
    in one second.
    """
    given = xml.text(doc, "EventID")
    if given and len(given) <= LONGEST_EVENT_ID:
        return given
    return f"{event}:{hashlib.sha256(message).hexdigest()}"


def subject_of(doc: Mapping[str, Any]) -> str:
    """SpNoStr, else SpNo (OA approval, doc 91815), else ThirdNo (engine, doc 90269); TaskId of a card (doc 90240); else
    ``""``. The latter two in any case."""
    info = doc.get("ApprovalInfo")
    if not isinstance(info, dict):
        return _in_any_case(doc, "taskid")
    return xml.text(info, "SpNoStr")[:128] or xml.text(info, "SpNo")[:128] or _in_any_case(info, "thirdno")


def _in_any_case(node: Mapping[str, Any], name: str) -> str:
    return next((xml.text(node, tag) for tag in node if tag.lower() == name), "")[:128]
