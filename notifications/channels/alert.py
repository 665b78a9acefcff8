"""Operations alerts, as one more channel: rows that wait, repeat and are seen like any other message.

A row names its alert address (``alert-address:3``) and never holds it: it contains a key.
"""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from config.durable import NotYet
from notifications import robot_rate
from notifications.channels.base import Channel, Message
from notifications.recipients import Recipient
from notifications.senders import Alert, sender_for
from wecom.errcodes import Text


class AlertChannel(Channel):
    kind: ClassVar[str] = "alert"
    label: ClassVar[Text] = _("Alert address")
    has_subject: ClassVar[bool] = True

    @classmethod
    def address_of(cls, recipient: Recipient) -> str:
        """Operators are no recipients: ``notifications.alerts`` writes to the alert addresses."""
        return ""

    def send(self, message: Message) -> str:
        from notifications.alert_addresses import reveal

        send_alert(reveal(message.address), Alert(message.event, message.subject, message.body))
        return ""


def send_alert(url: str, alert: Alert) -> None:
    """Hand ``alert`` to the address's sender, within the receiver's rate. Raises PermanentFailure, TemporaryFailure,
    NotYet; UnknownAddress counts as the first."""
    sender = sender_for(url)
    robot_rate.take_turn(url, sender.most_per_minute)
    try:
        sender.send(url, alert)
    except NotYet as busy:
        robot_rate.pause(url, busy.retry_after)
        raise
