"""Application messages in WeCom: to members of the company only (doc 90236)."""

from __future__ import annotations

from notifications.channels.base import Channel, Message
from notifications.models import ChannelKind
from notifications.recipients import Recipient


class WeComChannel(Channel):
    kind = ChannelKind.WECOM
    label = ChannelKind.WECOM.label

    @classmethod
    def address_of(cls, recipient: Recipient) -> str:
        """WeCom has no way for an app to write to a customer, even where their userid is known."""
        return "" if recipient.outside else recipient.userid.strip()

    def send(self, message: Message) -> str:
        raise NotImplementedError
