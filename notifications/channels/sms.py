"""Text messages, by the provider that SMS_BACKEND names.

``console`` writes a line to the log instead of sending. The providers are real SMS services with approved templates:
a text cannot be sent as it is, only as a template's number and its parameters (``MessageTemplate.sms_template``).
Their libraries are imported when the first message is sent: one of them takes half a second and twenty packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from math import ceil
from typing import ClassVar

import structlog
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.durable import PermanentFailure
from config.phones import masked
from notifications import phones
from notifications.channels.base import Channel, Message
from notifications.recipients import Recipient
from wecom.errcodes import Text

logger = structlog.get_logger(__name__)

CONSOLE = "console"
Send = Callable[[str, str, Mapping[str, str]], str]
"""``send(number in E.164, template, parameters in their order)`` → the provider's number of the message."""

PROVIDERS: Mapping[str, str] = {
    "tencent": "notifications.channels.sms_tencent",
    "aliyun": "notifications.channels.sms_aliyun",
}
"""SMS_BACKEND → the module whose ``send`` does it. Which settings each needs: ``notifications.checks``."""

ONE_PART, PART = 70, 67
"""Characters of a short message with Chinese in it, and of each part of a longer one."""
CONNECT_SECONDS = 3
READ_SECONDS = 8


class SmsChannel(Channel):
    kind: ClassVar[str] = "sms"
    label: ClassVar[Text] = gettext_lazy("SMS")

    @classmethod
    def address_of(cls, recipient: Recipient) -> str:
        return recipient.phone

    @classmethod
    def size_of(cls, body: str) -> str:
        """Providers bill by parts, and their signature is counted too."""
        signature = f"【{settings.SMS_SIGN_NAME}】" if settings.SMS_SIGN_NAME else ""
        length = len(signature + body)
        parts = 1 if length <= ONE_PART else ceil(length / PART)
        return ngettext(
            "%(length)d characters: %(parts)d text message",
            "%(length)d characters: %(parts)d text messages",
            parts,
        ) % {"length": length, "parts": parts}

    def send(self, message: Message) -> str:
        number = _number(message.address)
        if settings.SMS_BACKEND == CONSOLE:
            logger.info("sms", to=masked(number), text=message.body, template=message.sms_template)
            return ""
        if not message.sms_template:
            raise PermanentFailure(_no_template(message))
        _demand_settings()
        send: Send = import_module(PROVIDERS[settings.SMS_BACKEND]).send
        return send(number, message.sms_template, message.sms_parameters)


def _number(address: str) -> str:
    try:
        return phones.international(address)
    except phones.BadNumber:
        sentence = _("%(number)s is no mobile number. %(remedy)s")
        remedy = _("Correct it where it was entered; a Chinese mobile number has 11 digits and begins with 1.")
        raise PermanentFailure(sentence % {"number": masked(address), "remedy": remedy}) from None


def _no_template(message: Message) -> str:
    return _(
        "The message template for “%(event)s” by SMS names no template at the provider, and providers send approved "
        "templates only. Enter the approved template's ID there; the next message will be sent."
    ) % {"event": message.event}


def _demand_settings() -> None:
    from notifications.checks import missing_sms_settings

    if missing := missing_sms_settings():
        sentence = _("The SMS provider cannot be used: %(settings)s missing. Set it, restart, then press “Retry”.")
        raise PermanentFailure(sentence % {"settings": ", ".join(missing)})


def endpoint() -> tuple[str, str] | None:
    """SMS_ENDPOINT as protocol (``https`` where it names none) and host, or None for the provider's own address."""
    if not settings.SMS_ENDPOINT:
        return None
    scheme, found, rest = settings.SMS_ENDPOINT.rpartition("://")
    return (scheme if found else "https"), rest.rstrip("/")
