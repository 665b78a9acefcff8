"""Application messages to members (doc 90236), as text.

WeCom's duplicate check is always on: the same request within four hours is delivered once, which makes repeating
after a lost answer safe. A text that is meant to arrive twice must therefore differ (say which reminder it is).
More than 30 messages a minute to one member are dropped by WeCom without an error, so ``wecom.member_rate`` lets none
of them leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wecom.budgets import Lane
from wecom.client import WeComClient
from wecom.errors import error_for

LONGEST_TEXT = 2048
"""Bytes of UTF-8."""
MOST_RECIPIENTS = 1000
DUPLICATE_CHECK_SECONDS = 4 * 60 * 60
"""The longest that WeCom offers."""
NO_RECIPIENT = 82001
ELLIPSIS = "…"


@dataclass(slots=True)
class SendResult:
    """Who was *not* reached although WeCom said "ok" (userids in lower case, as WeCom returns them)."""

    invalid_users: list[str] = field(default_factory=list)
    unlicensed_users: list[str] = field(default_factory=list)
    message_id: str = ""
    """WeCom's, of the last call."""


def send_text(
    client: WeComClient, *, to: Sequence[str], text: str, lane: Lane = "notice", counted: bool = False
) -> SendResult:
    """Send ``text``, cut to 2048 bytes, to the userids ``to``.

    Raises PermanentError when there is no recipient (82001) or none can be reached (81013), and MemberBusy when one of
    them has had too many messages; nothing was sent then, at least to them. ``counted``: the caller has taken the
    members' turns.
    """
    return _send(client, to, {"msgtype": "text", "text": {"content": cut_bytes(text, LONGEST_TEXT)}}, lane, counted)


def cut_bytes(text: str, longest: int) -> str:
    """``text`` in at most ``longest`` bytes of UTF-8, cut between characters and ended with … if it was longer."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= longest:
        return text
    return encoded[: longest - len(ELLIPSIS.encode())].decode("utf-8", "ignore") + ELLIPSIS


def _send(client: WeComClient, to: Sequence[str], message: Mapping[str, Any], lane: Lane, counted: bool) -> SendResult:
    result = SendResult()
    recipients = each_once(to)
    for start in range(0, len(recipients), MOST_RECIPIENTS):
        answer = send_one(client, recipients[start : start + MOST_RECIPIENTS], message, lane, counted)
        result.invalid_users += split_users(answer.get("invaliduser"))
        result.unlicensed_users += split_users(answer.get("unlicenseduser"))
        result.message_id = str(answer.get("msgid") or "")
    return result


def send_one(
    client: WeComClient, recipients: Sequence[str], message: Mapping[str, Any], lane: Lane, counted: bool
) -> dict[str, Any]:
    """WeCom's answer to one ``message/send`` to at most 1000 userids. ``message``: msgtype and its object; ``counted``
    and what is raised: as in ``send_text``."""
    if not counted:
        client.member_rate.take(recipients, lane)
    body = {
        "touser": "|".join(recipients),
        "agentid": int(client.config.agent_id),  # as a number, or 40056
        **message,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": DUPLICATE_CHECK_SECONDS,
    }
    return client.post("message/send", body, writes=True, lane=lane)


def each_once(to: Sequence[str]) -> list[str]:
    """Each recipient once (userids ignore case, doc 90195). Raises PermanentError 82001 when there is none."""
    unique: dict[str, str] = {}
    for userid in filter(None, to):
        unique.setdefault(userid.casefold(), userid)
    if not unique:
        raise error_for("message/send", NO_RECIPIENT, "")
    return list(unique.values())


def split_users(joined: str | None) -> list[str]:
    """The userids of a list that ``message/send`` answers with, in lower case."""
    return [userid.lower() for userid in (joined or "").split("|") if userid]
