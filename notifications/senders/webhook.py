"""Any other http(s) address: it is sent a small JSON object, and any 2xx is success."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import SplitResult

from django.utils.translation import gettext_lazy as _

from notifications.senders.base import Alert, Sender, is_http
from notifications.senders.http import post_json
from wecom.errcodes import Text


class Webhook(Sender):
    label: ClassVar[Text] = _("Webhook")

    def takes(self, parts: SplitResult) -> bool:
        return is_http(parts)

    def send(self, url: str, alert: Alert) -> None:
        post_json(url.strip(), {"event": alert.event, "title": alert.title, "text": alert.text})
