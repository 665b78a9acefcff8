"""Who takes an operations alert: robots of WeCom, DingTalk and Feishu, plain webhooks, and what Apprise knows.

The robots are spoken to by ourselves, because they answer an error code inside a 200, which Apprise takes for success.
They are recognised by the path of their address, not by its host, so that one behind a company's proxy is known too.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from notifications.senders.base import Alert, Sender, UnknownAddress
from notifications.senders.dingtalk import DingTalk
from notifications.senders.feishu import Feishu
from notifications.senders.long_tail import LongTail
from notifications.senders.webhook import Webhook
from notifications.senders.wecom import WeComRobot

__all__ = ["Alert", "Sender", "UnknownAddress", "sender_for"]

SENDERS: tuple[Sender, ...] = (WeComRobot(), DingTalk(), Feishu(), Webhook(), LongTail())
"""The first that takes an address has it."""


def sender_for(url: str) -> Sender:
    """The sender of an alert address. Raises UnknownAddress, whose text is for a person and repeats no key."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise UnknownAddress(_("This is no address.")) from None
    for sender in SENDERS:
        if sender.takes(parts):
            return sender
    raise UnknownAddress(
        _("Give the https address of a robot or webhook, or an Apprise address such as mailtos://… or tgram://….")
    )
