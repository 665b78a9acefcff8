"""Cards with buttons: send, change and recall them (docs 90236, 94888, 94867).

A card is changed with a ``response_code``: one comes with the answer to sending, one with each click
(``wecom.card_events``). Each is good for one change within CODE_LASTS. Errors worth telling apart by ``errcode`` are
the constants below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from wecom.budgets import Lane
from wecom.client import WeComClient
from wecom.errors import error_for
from wecom.messages import MOST_RECIPIENTS, each_once, send_one, split_users

TASK_USED: Final = 42014
"""Sending: a card with this task ID was sent before, so the message has arrived. (A task ID that is missing or badly
written has the same code.)"""
CODE_SPENT: Final = 60140
"""Changing: the code was used before, or is older than CODE_LASTS."""
NOBODY_TO_UPDATE: Final = frozenset({82101, 82102})
"""Changing: nobody was named, or none of them has the card."""
RECALL_TOO_LATE: Final = 42052
"""Recalling: more than RECALL_WITHIN have passed."""
TOO_MANY_RECIPIENTS: Final = 40032
CODE_LASTS: Final = timedelta(hours=72)
RECALL_WITHIN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SentCard:
    """Userids, of who was *not* reached although WeCom said "ok", are in lower case, as WeCom returns them."""

    message_id: str
    """For ``recall``."""
    response_code: str
    """Empty for a card on which nothing can be pressed."""
    invalid_users: list[str]
    unlicensed_users: list[str]


def send_card(
    client: WeComClient, *, to: Sequence[str], card: Mapping[str, Any], lane: Lane = "decision", counted: bool = False
) -> SentCard:
    """Send one message with ``card`` (a ``template_card`` object) to the userids ``to``.

    The duplicate check is on: the same card to the same people within four hours arrives once. ``counted``: the caller
    has taken the members' turns. Raises PermanentError: TASK_USED, 82001 without recipients, 40032 for more than 1000
    (they would be several messages, and a task ID names one), 81013 when none can be reached, 43012 when the app has
    no callback address; and MemberBusy when one of them has had too many messages: nothing was sent then.
    """
    recipients = each_once(to)
    if len(recipients) > MOST_RECIPIENTS:
        raise error_for("message/send", TOO_MANY_RECIPIENTS, "")
    answer = send_one(client, recipients, {"msgtype": "template_card", "template_card": dict(card)}, lane, counted)
    return SentCard(
        message_id=str(answer.get("msgid") or ""),
        response_code=str(answer.get("response_code") or ""),
        invalid_users=split_users(answer.get("invaliduser")),
        unlicensed_users=split_users(answer.get("unlicenseduser")),
    )


def update_card(
    client: WeComClient,
    *,
    response_code: str,
    to: Sequence[str] | None,
    card: Mapping[str, Any] | None = None,
    button: str | None = None,
    lane: Lane = "decision",
) -> list[str]:
    """Show ``card`` instead, or one dead grey ``button`` with this text instead of the buttons; give one of the two.

    ``to``: userids who have the card; None: everybody who has it. Returns those of them, in lower case, who were not
    reached. Raises PermanentError: CODE_SPENT, NOBODY_TO_UPDATE. After OutcomeUnknown the
    code may be spent.
    """
    if (card is None) == (button is None):
        raise ValueError("either a card or a button")
    body: dict[str, Any] = {"agentid": int(client.config.agent_id), "response_code": response_code}
    body |= {"atall": 1} if to is None else {"userids": list(to)}
    body |= {"button": {"replace_name": button}} if card is None else {"template_card": dict(card)}
    answer = client.post("message/update_template_card", body, writes=True, lane=lane)
    return [str(userid).lower() for userid in answer.get("invaliduser") or ()]  # an array here, unlike when sending


def recall(client: WeComClient, message_id: str, *, lane: Lane = "decision") -> None:
    """Take a message away from all its recipients. Raises PermanentError: RECALL_TOO_LATE, 40058 for another app's."""
    client.post("message/recall", {"msgid": message_id}, writes=True, lane=lane)
