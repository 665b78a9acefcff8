"""What the three robots have in common: an error code inside a 200, and a limit per minute."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import SplitResult

from django.utils.translation import gettext as _

from config.durable import PermanentFailure, TemporaryFailure
from notifications.senders.base import Alert, Sender, is_http
from notifications.senders.http import PAUSE, code_of, post_json, read_object, too_fast
from wecom.errcodes import Text

LONGEST_REASON = 200


class Robot(Sender):
    """``codes``: the names under which an answer tells its code; 0 is success, and an answer without one is none."""

    most_per_minute: ClassVar[int | None] = 20
    path: ClassVar[str]
    """What the address's path ends with, or contains where it ends with ``/``."""
    codes: ClassVar[tuple[str, ...]]
    messages: ClassVar[tuple[str, ...]]
    too_fast: ClassVar[frozenset[int]]
    pause: ClassVar[float] = PAUSE
    """Seconds for which a robot that was addressed too fast is left alone."""
    temporary: ClassVar[frozenset[int]] = frozenset()
    remedies: ClassVar[Mapping[int, Text]] = {}

    def takes(self, parts: SplitResult) -> bool:
        if not is_http(parts):
            return False
        return self.path in parts.path if self.path.endswith("/") else parts.path.rstrip("/").endswith(self.path)

    def send(self, url: str, alert: Alert) -> None:
        address, body = self.request(url, alert)
        self._judge(read_object(post_json(address, body)))

    @abstractmethod
    def request(self, url: str, alert: Alert) -> tuple[str, dict[str, Any]]:
        """The address to call, and what to say."""

    def _judge(self, answer: Mapping[str, Any]) -> None:
        code = code_of(answer, *self.codes)
        if code == 0:
            return
        if code is None:
            raise TemporaryFailure(_("What answered at the alert address was not the robot. The system tries again."))
        if code in self.too_fast:
            raise too_fast(self.pause)
        reason = next((str(answer[name]) for name in self.messages if answer.get(name)), "")[:LONGEST_REASON]
        sentence = _("The robot refused the message. %(remedy)s [%(code)d: %(reason)s]") % {
            "remedy": self.remedies.get(code, _("Look at the robot's settings, then press “Retry”.")),
            "code": code,
            "reason": reason,
        }
        if code in self.temporary:
            raise TemporaryFailure(sentence)
        raise PermanentFailure(sentence)
