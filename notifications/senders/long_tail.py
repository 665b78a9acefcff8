"""Everything else that Apprise knows: Telegram, Slack, ntfy, Bark, email …

Apprise says only whether it worked, and writes why not into its log; so every failure counts as temporary.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import SplitResult

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.durable import PermanentFailure, TemporaryFailure
from notifications.senders.base import Alert, Sender
from wecom.errcodes import Text

OURS = frozenset({"wecombot", "dingtalk", "feishu", "lark"})
"""Apprise takes the error codes of these for success: give their https address instead."""


class LongTail(Sender):
    label: ClassVar[Text] = gettext_lazy("Apprise")

    def takes(self, parts: SplitResult) -> bool:
        if not parts.scheme or parts.scheme in OURS or parts.scheme in ("http", "https"):
            return False
        from apprise import Apprise  # a quarter of a second: only where such an address is used

        return Apprise.instantiate(parts.geturl(), suppress_exceptions=True) is not None

    def send(self, url: str, alert: Alert) -> None:
        from apprise import Apprise

        apprise = Apprise()
        if not apprise.add(url.strip()):
            raise PermanentFailure(_("Apprise does not know this address. Correct it, then press “Retry”."))
        if not apprise.notify(title=alert.title, body=alert.text or alert.title):
            raise TemporaryFailure(_("Apprise could not deliver the message. The log says why."))

    def shown(self, parts: SplitResult) -> str:
        return f"{parts.scheme}://…"  # a key may stand in the host's place
