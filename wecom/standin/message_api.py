"""``message/send`` (doc 90236): one stored row for each member.

What goes over 30 a minute or 1000 an hour to one member is dropped without a word, as WeCom does; the row
says so.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any

from wecom.standin.call import Call
from wecom.standin.card_check import calls_back
from wecom.standin.company import find_visible_member, visible_members
from wecom.standin.errors import ApiError
from wecom.standin.message_check import check_content

if TYPE_CHECKING:
    from wecom.standin.world import World

PER_MINUTE, PER_HOUR = 30, 1000
MOST_USERS, MOST_GROUPS = 1000, 100
DUPLICATE_SECONDS, LONGEST_DUPLICATE_SECONDS = 1800, 14400


def send(world: World, call: Call) -> dict[str, Any]:
    check_agent(world, call)
    recipients, answer = _recipients(call)
    content = check_content(call.body, callback_url=world.sender.callback_url)
    if not recipients:
        raise ApiError(81013, "user & party & tag all invalid")
    with world.store.transaction():
        repeated = _repeated(world, call)
        if repeated:
            return repeated
        answer |= _deliver(world, call, recipients, content)
        world.store.insert("send_requests", digest=_digest(call), answer=json.dumps(answer), sent_at=world.clock())
    return answer


def _deliver(world: World, call: Call, recipients: list[str], content: dict[str, Any]) -> dict[str, Any]:
    msgid = secrets.token_urlsafe(24)
    task_id = str(content.get("task_id", ""))
    if task_id and world.store.number("SELECT count(*) FROM cards WHERE task_id = ?", task_id):
        raise ApiError(42014, "task_id was used before")
    for userid in recipients:
        world.store.insert(
            "messages",
            msgid=msgid,
            userid=userid,
            msgtype=call.text("msgtype"),
            content=json.dumps(content, ensure_ascii=False),
            sent_at=world.clock(),
            dropped=_is_over_limit(world, userid),
        )
    answer = {"msgid": msgid}
    if call.text("msgtype") == "template_card" and calls_back(content):
        answer["response_code"] = secrets.token_urlsafe(32)
        world.store.insert(
            "cards", response_code=answer["response_code"], msgid=msgid, task_id=task_id, issued_at=world.clock()
        )
    return answer


def check_agent(world: World, call: Call) -> None:
    agent = call.integer("agentid")
    if agent is None:
        raise ApiError(41011, "agentid missing")
    if agent != world.options.agent_id:
        raise ApiError(301002, "the access_token does not belong to this agentid")


def _recipients(call: Call) -> tuple[list[str], dict[str, Any]]:
    """The members reached, once each, and the part of the answer that lists the others."""
    users, parties, tags = (_split(call.text(name)) for name in ("touser", "toparty", "totag"))
    if not (users or parties or tags):
        raise ApiError(82001, "at least one of touser, toparty, totag must be given")
    if users == ["@all"]:
        return [member.userid for member in visible_members()], {"invaliduser": "", "unlicenseduser": ""}
    if len(users) > MOST_USERS or len(parties) > MOST_GROUPS or len(tags) > MOST_GROUPS:
        raise ApiError(40032, "too many recipients")
    reached = [member.userid for userid in users if (member := find_visible_member(userid))]
    invalid_users = [userid.lower() for userid in users if not find_visible_member(userid)]
    invalid_parties = []
    for party in parties:
        members = visible_members(int(party)) if party.isdigit() else []
        reached += [member.userid for member in members]
        invalid_parties += [] if members else [party]
    answer = {
        "invaliduser": "|".join(invalid_users),
        "invalidparty": "|".join(invalid_parties),
        "invalidtag": "|".join(tags),  # the company of the stand-in has no tags
        "unlicenseduser": "",
    }
    return list(dict.fromkeys(reached)), answer


def _split(text: str) -> list[str]:
    return [part for part in text.split("|") if part]


def _is_over_limit(world: World, userid: str) -> bool:
    count = "SELECT count(*) FROM messages WHERE userid = ? AND sent_at > ? AND NOT dropped"
    now = world.clock()
    return (
        world.store.number(count, userid, now - 60) >= PER_MINUTE
        or world.store.number(count, userid, now - 3600) >= PER_HOUR
    )


def _repeated(world: World, call: Call) -> dict[str, Any] | None:
    """The answer given to the identical request within its interval, if the check was asked for."""
    if call.integer("enable_duplicate_check") != 1:
        return None
    interval = min(call.integer("duplicate_check_interval") or DUPLICATE_SECONDS, LONGEST_DUPLICATE_SECONDS)
    row = world.store.row(
        "SELECT answer FROM send_requests WHERE digest = ? AND sent_at > ?", _digest(call), world.clock() - interval
    )
    return json.loads(row["answer"]) if row else None


def _digest(call: Call) -> str:
    return hashlib.sha256(json.dumps(call.body, sort_keys=True).encode()).hexdigest()
