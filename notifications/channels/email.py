"""Emails, through Django's backend (EMAIL_URL), one kept connection per drain."""

from __future__ import annotations

import hashlib
import smtplib
from contextlib import suppress
from email.utils import parseaddr
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from config.durable import PermanentFailure, TemporaryFailure
from notifications.channels.base import Channel, Message
from notifications.models import ChannelKind
from notifications.recipients import Recipient

SETTINGS_RETRY = 600.0
"""Seconds after which the server is asked again when it refuses us, not the recipient: a person must act first."""


class EmailChannel(Channel):
    kind = ChannelKind.EMAIL
    label = ChannelKind.EMAIL.label
    has_subject = True

    @classmethod
    def address_of(cls, recipient: Recipient) -> str:
        return recipient.email.strip()

    def send(self, message: Message) -> str:
        try:
            validate_email(message.address)
        except ValidationError:
            raise PermanentFailure(
                _("“%(address)s” is no email address. Correct it where the person's data come from.")
                % {"address": message.address}
            ) from None
        number = message_id(message.key)
        headers = {"Message-ID": number, "Auto-Submitted": "auto-generated"}
        try:
            self._send(EmailMessage(message.subject, message.body, to=[message.address], headers=headers))
        except OSError as error:  # smtplib's own are among them
            self.close()
            raise _failure(error) from error
        return number

    def _send(self, mail: EmailMessage) -> None:
        kept = not self._connection.open()
        try:
            self._connection.send_messages([mail])
        except smtplib.SMTPServerDisconnected:
            if not kept:
                raise
            self.close()  # the server has closed it while it lay idle: once more on a new one
            self._connection.open()
            self._connection.send_messages([mail])

    @cached_property
    def _connection(self) -> Any:
        return get_connection()

    def close(self) -> None:
        if connection := self.__dict__.pop("_connection", None):
            with suppress(OSError):  # it may be broken already
                connection.close()


def message_id(key: str) -> str:
    """The same for every attempt, so that mailboxes can tell a repetition."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def _failure(error: Exception) -> PermanentFailure | TemporaryFailure:
    """What the server's answer means for this message."""
    code, text = _answer(error)
    said = {"code": code, "text": text}
    if isinstance(error, smtplib.SMTPRecipientsRefused) and code >= 500:
        return PermanentFailure(
            _("The mail server refuses the address (%(code)d %(text)s). Check how it is spelt, then retry.") % said
        )
    if isinstance(error, smtplib.SMTPDataError) and code >= 500:
        return PermanentFailure(
            _("The mail server refuses the message (%(code)d %(text)s). Change the template, then retry.") % said
        )
    if isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPSenderRefused) and code >= 500:
        return TemporaryFailure(
            _("The mail server refuses us (%(code)d %(text)s). Check EMAIL_URL and DEFAULT_FROM_EMAIL.") % said,
            retry_after=SETTINGS_RETRY,
        )
    if code:
        return TemporaryFailure(_("The mail server asks to try later (%(code)d %(text)s).") % said)
    return TemporaryFailure(
        _("The mail server cannot be reached (%(reason)s). The system tries again; if it stays, check EMAIL_URL.")
        % {"reason": text}
    )


def _answer(error: Exception) -> tuple[int, str]:
    """The server's code and words; 0 when it said nothing."""
    raw: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, raw = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, raw = error.smtp_code, error.smtp_error
    else:
        return 0, str(error) or type(error).__name__
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return int(code), " ".join(text.split())[:200]
