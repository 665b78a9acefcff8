"""The channels there are. A new one is a file beside these and an entry here (docs/channels.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from notifications.channels.base import Channel
    from wecom.errcodes import Text

CHANNELS: dict[str, str] = {
    "wechat": "notifications.channels.wecom.WeComChannel",
    "sms": "notifications.channels.sms.SmsChannel",
    "email": "notifications.channels.email.EmailChannel",
    "alert": "notifications.channels.alert.AlertChannel",
}
"""Kind → class, imported on first use: providers' libraries are large."""


def channel_class(kind: str) -> type[Channel]:
    """Raises KeyError for a kind that does not exist."""
    found: type[Channel] = import_string(CHANNELS[kind])
    return found


def choices() -> list[tuple[str, Text]]:
    """Of the models' columns. A function, so that a new channel needs no migration."""
    return [(kind, channel_class(kind).label) for kind in CHANNELS]
