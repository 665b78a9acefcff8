"""The robot of a DingTalk group: 20 messages a minute; who sends faster is blocked for ten minutes.

A robot with "加签" switched on wants each call signed. Its secret (SEC…) is appended to the address here as
``&secret=…``; it stays with us, and the call carries the signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from notifications.senders.base import LONGEST_TEXT, Alert
from notifications.senders.http import without_secret
from notifications.senders.robots import Robot
from wecom.errcodes import Text
from wecom.messages import cut_bytes


class DingTalk(Robot):
    label: ClassVar[Text] = _("DingTalk robot")
    path = "/robot/send"
    codes = ("errcode",)
    messages = ("errmsg",)
    too_fast = frozenset({130101, 410100, 660026, 90018, 90030})
    pause = 600.0
    temporary = frozenset({-1})
    remedies = {
        310000: _(
            "The robot's security settings refuse it: append its signing secret to the address as &secret=SEC…, let "
            "its keyword be “Quotebridge”, or add this server's address."
        ),
        300001: _("The robot was removed, or its token is wrong: enter the address of another one."),
        400101: _("The robot was removed, or its token is wrong: enter the address of another one."),
        400102: _("The robot is switched off: switch it on in the group."),
        400013: _("The group was dissolved: enter the address of another robot."),
    }

    def request(self, url: str, alert: Alert) -> tuple[str, dict[str, Any]]:
        address, secret = without_secret(url)
        if secret:
            address += "&" + urlencode(signature(secret, round(time.time() * 1000)))
        return address, {"msgtype": "text", "text": {"content": cut_bytes(alert.whole, LONGEST_TEXT)}}


def signature(secret: str, milliseconds: int) -> dict[str, str]:
    """``timestamp`` and ``sign`` of one call: HMAC-SHA256 of both, keyed with the secret."""
    digest = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": str(milliseconds), "sign": base64.b64encode(digest).decode()}
