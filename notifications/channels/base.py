"""What a channel is: the way a message leaves the house.

One file, one class, no database inside. A channel is given a ``Message`` and either hands it over, or says why not:
for good (``PermanentFailure``), for now (``TemporaryFailure``), or because it is not the message's turn (``NotYet``).
Attempts, back-off and death belong to the row and its queue (``notifications.delivery``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from django.utils.translation import ngettext

from config.durable import NotYet
from notifications.recipients import Recipient
from wecom.errcodes import Text


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one address, ready to be sent."""

    key: str
    """The same for every attempt; what a provider may use to recognise a repetition."""
    address: str
    body: str
    subject: str = ""
    recipient: str = ""
    """The person's name, for channels that show one."""
    event: str = ""
    sms_template: str = ""
    """The approved template's number at the SMS provider."""
    sms_parameters: Mapping[str, str] = field(default_factory=dict)
    """Variable → value, in the order in which the text uses them."""
    turn: datetime | None = None
    """The turn that was reserved for it, if the channel has turns."""


class NoTurn(NotYet):
    """The address has its full rate. The message's turn is at ``turn``; bring it along then."""

    def __init__(self, message: object = "", *, turn: datetime, retry_after: float) -> None:
        super().__init__(message, retry_after=retry_after)
        self.turn = turn


class Channel(ABC):
    """Made once per drain, used for all of its messages of this kind, then closed; never by two threads."""

    kind: ClassVar[str]
    """The channel's value in the database and in the config API."""
    label: ClassVar[Text]
    has_subject: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def address_of(cls, recipient: Recipient) -> str:
        """Where ``recipient`` is reached by this channel; empty when they are not."""

    @abstractmethod
    def send(self, message: Message) -> str:
        """Hand the message over; returns the provider's number for it, or an empty text.

        Raises PermanentFailure (a sentence that a person can act on), TemporaryFailure, NotYet. Any other exception
        counts as a defect.
        """

    def reserve(self, messages: Sequence[Message]) -> list[NotYet | None]:
        """Before anything is sent, look at all ``messages`` of one claim at once: None for each that may be sent now,
        else what ``send`` would raise (a NoTurn whose ``retry_after`` is 0: now, with this turn). Only worth writing
        where ``send`` raises NotYet for many."""
        return [None] * len(messages)

    def close(self) -> None:  # noqa: B027 - most have none
        """Let go of connections."""

    @classmethod
    def size_of(cls, body: str) -> str:
        """How long a text is in what this channel counts, for who writes it; says so when it is too long."""
        return ngettext("%(count)d character", "%(count)d characters", len(body)) % {"count": len(body)}
