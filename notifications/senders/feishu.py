"""The robot of a Feishu (or Lark) group: 100 messages a minute, 5 a second.

A robot with "签名校验" switched on wants each message signed; its secret is appended to the address here as
``?secret=…`` and stays with us.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from notifications.senders.base import LONGEST_TEXT, Alert
from notifications.senders.http import without_secret
from notifications.senders.robots import Robot
from wecom.errcodes import Text
from wecom.messages import cut_bytes


class Feishu(Robot):
    label: ClassVar[Text] = _("Feishu robot")
    path = "/open-apis/bot/v2/hook/"
    codes = ("code", "StatusCode")
    messages = ("msg", "StatusMessage")
    too_fast = frozenset({9499, 11232})
    remedies = {
        19001: _("The robot was removed, or its address is wrong: enter the address of another one."),
        19021: _("Append the robot's signing secret to the address as ?secret=…, and check this server's clock."),
        19022: _("Add this server's address to the robot's list of addresses."),
        19024: _("Let the robot's keyword be “Quotebridge”."),
    }

    def request(self, url: str, alert: Alert) -> tuple[str, dict[str, Any]]:
        address, secret = without_secret(url)
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": cut_bytes(alert.whole, LONGEST_TEXT)}}
        return address, {**(signature(secret, round(time.time())) if secret else {}), **body}


def signature(secret: str, seconds: int) -> dict[str, str]:
    """``timestamp`` and ``sign`` of one message: HMAC-SHA256 of nothing, keyed with both."""
    digest = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": str(seconds), "sign": base64.b64encode(digest).decode()}
