"""Emails, through Django's backend (EMAIL_URL)."""

from __future__ import annotations

from notifications.channels.base import Channel, Message
from notifications.models import ChannelKind
from notifications.recipients import Recipient


class EmailChannel(Channel):
    kind = ChannelKind.EMAIL
    label = ChannelKind.EMAIL.label
    has_subject = True

    @classmethod
    def address_of(cls, recipient: Recipient) -> str:
        return recipient.email.strip()

    def send(self, message: Message) -> str:
        raise NotImplementedError
