"""What an alert and its senders are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import SplitResult

from wecom.errcodes import Text

LONGEST_TEXT = 2000
"""Bytes of a robot's message: WeCom's take 2048, the others more."""


class UnknownAddress(ValueError):
    """Nobody here sends to such an address. ``str(e)`` is for a person."""


def is_http(parts: SplitResult) -> bool:
    """Whether it is a whole http or https address."""
    try:
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no number, or above 65535
        return False


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to operators. ``event``: incident.opened, incident.resolved or test."""

    event: str
    title: str
    text: str

    @property
    def whole(self) -> str:
        return f"{self.title}\n{self.text}".strip()


class Sender(ABC):
    """One kind of address. Senders keep nothing between two alerts."""

    label: ClassVar[Text]
    most_per_minute: ClassVar[int | None] = None
    """What the receiver takes from one address in any minute; None: no limit is known."""

    @abstractmethod
    def takes(self, parts: SplitResult) -> bool:
        """Whether an address is of this kind."""

    @abstractmethod
    def send(self, url: str, alert: Alert) -> None:
        """Hand the alert over. Raises PermanentFailure, TemporaryFailure, NotYet, with a sentence for a person."""

    def shown(self, parts: SplitResult) -> str:
        """What a person may see of an address: never its key."""
        return parts.hostname or ""
