"""The robot of a WeCom group chat (doc 91770): 20 messages a minute, text of at most 2048 bytes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from notifications.senders.base import LONGEST_TEXT, Alert
from notifications.senders.robots import Robot
from wecom.errcodes import Text
from wecom.messages import cut_bytes


class WeComRobot(Robot):
    label: ClassVar[Text] = _("WeCom robot")
    path = "/cgi-bin/webhook/send"
    codes = ("errcode",)
    messages = ("errmsg",)
    too_fast = frozenset({45009, 45033})
    temporary = frozenset({-1})
    remedies = {
        93000: _("The robot was removed, or its key is wrong: enter the address of another one."),
        93008: _("The robot is not in the group: add it again, or enter the address of another one."),
    }

    def request(self, url: str, alert: Alert) -> tuple[str, dict[str, Any]]:
        return url.strip(), {"msgtype": "text", "text": {"content": cut_bytes(alert.whole, LONGEST_TEXT)}}
