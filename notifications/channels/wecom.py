"""Application messages in WeCom: to members of the company only (doc 90236).

WeCom delivers the same text to the same member once within four hours (its duplicate check, which makes repeating
after a lost answer safe). A text that is meant to arrive twice must differ: name the time, or which reminder it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from django.utils.translation import gettext as _

from config.durable import NotYet, PermanentFailure, TemporaryFailure
from notifications.channels.base import Channel, Message, NoTurn
from notifications.models import ChannelKind
from notifications.recipients import Recipient
from wecom.client import WeComClient, for_config
from wecom.configs import default_config
from wecom.errors import QuotaError
from wecom.member_rate import MemberBusy
from wecom.messages import LONGEST_TEXT, SendResult, send_text

PAUSE = 60.0
"""Seconds, when WeCom does not say how long it wants to be left alone."""
NO_APP_RETRY = 600.0


class WeComChannel(Channel):
    kind = ChannelKind.WECOM
    label = ChannelKind.WECOM.label

    @classmethod
    def address_of(cls, recipient: Recipient) -> str:
        """WeCom has no way for an app to write to a customer, even where their userid is known."""
        return "" if recipient.outside else recipient.userid.strip()

    @classmethod
    def size_of(cls, body: str) -> str:
        size = {"size": len(body.encode()), "longest": LONGEST_TEXT}
        if size["size"] > LONGEST_TEXT:
            return _("%(size)d bytes: WeCom takes %(longest)d, the rest would be cut off.") % size
        return _("%(size)d of %(longest)d bytes") % size

    def reserve(self, messages: Sequence[Message]) -> list[NotYet | None]:
        """A turn at each member's rate, for those that have none yet."""
        new = [message.address for message in messages if message.turn is None]
        turns = iter(self._client.member_rate.reserve(new) if new else ())
        return [_no_turn(next(turns)) if message.turn is None else None for message in messages]

    def send(self, message: Message) -> str:
        try:
            self._client.member_rate.take_turn(message.address, message.turn)
            result = send_text(self._client, to=[message.address], text=message.body, lane="notice", counted=True)
        except MemberBusy as busy:
            raise _no_turn(busy) from busy
        except QuotaError as error:  # ours or WeCom's: either way nothing was sent
            raise NotYet(error, retry_after=error.retry_after or PAUSE) from error
        _demand_reached(message, result)
        return result.message_id

    @cached_property
    def _client(self) -> WeComClient:
        config = default_config()
        if config is None:
            raise TemporaryFailure(
                _("No WeCom app is set up and enabled. Enter one under “WeCom apps”; this message waits for it."),
                retry_after=NO_APP_RETRY,
            )
        return for_config(config)


def _no_turn(busy: MemberBusy) -> NoTurn:
    return NoTurn(busy, turn=busy.turn, retry_after=busy.retry_after)


def _demand_reached(message: Message, result: SendResult) -> None:
    """WeCom says "ok" and lists whom it has not reached. (Nobody reached at all is an error code of its own.)"""
    if message.address.lower() in result.invalid_users:
        raise PermanentFailure(
            _(
                "WeCom does not know the member %(userid)s, or the app may not write to them. Check the userid in the "
                "contacts (通讯录) and the app's visible scope (可见范围), then retry."
            )
            % {"userid": message.address}
        )
    if message.address.lower() in result.unlicensed_users:
        raise PermanentFailure(
            _("The member %(userid)s has no interface licence (接口许可). Assign one in the WeCom console, then retry.")
            % {"userid": message.address}
        )
