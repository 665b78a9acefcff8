"""Cards on phones: what each shows now, and what happens when somebody presses a button (doc 90240)."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from config.standin.errors import ControlError
from wecom.standin.card_check import buttons_of, menu_of
from wecom.standin.company import display_name, find_member
from wecom.standin.xml_events import Tag, element

if TYPE_CHECKING:
    from wecom.standin.world import World

BUTTON_EVENT, MENU_EVENT = "template_card_event", "template_card_menu_event"

_CARDS = """
SELECT messages.*, recalled.at AS recalled_at, replaced.at AS replaced_at FROM messages
LEFT JOIN recalled ON recalled.msgid = messages.msgid
LEFT JOIN replaced ON replaced.message_id = messages.id
WHERE msgtype = 'template_card'
"""
_OF_TASK = "messages.msgid IN (SELECT msgid FROM cards WHERE task_id = ?)"


def shown_card(content: Mapping[str, Any], updated: Mapping[str, Any] | None) -> dict[str, Any]:
    """The card as the phone shows it: sent, or replaced; a replaced button stands as its ``replace_text``."""
    updated = updated or {}
    card = dict(updated if updated.get("card_type") else content)
    card.pop("button", None)
    name = (updated.get("button") or {}).get("replace_name")
    return card | {"replace_text": name} if name else card


def keys_of(card: Mapping[str, Any]) -> dict[str, str]:
    """Key of whatever can be pressed, to the event that it raises."""
    buttons = {button["key"]: BUTTON_EVENT for button in buttons_of(card) if button.get("type", 0) == 0}
    return buttons | {entry["key"]: MENU_EVENT for entry in menu_of(card)}


def cards_of(world: World, userid: str = "", task_id: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Newest first, those of all members when no ``userid`` is given. ``shown``: the card as that phone shows it now;
    ``keys``: what can be pressed on it; ``updated_at``: when it was last replaced (Unix seconds), None if never."""
    rows = world.store.rows(
        f"{_CARDS} AND (? = '' OR userid = ?) AND (? = '' OR {_OF_TASK}) ORDER BY messages.id DESC LIMIT ?",
        *(userid, userid, task_id, task_id, limit),
    )
    return [_as_json(row) for row in rows]


def count_pressable(world: World, userid: str) -> int:
    """How many of the member's newest hundred cards wait for a press."""
    return sum(bool(card["keys"]) for card in cards_of(world, userid))


def press(world: World, userid: str, task_id: str, key: str, *, force: bool = False) -> dict[str, Any]:
    """``userid`` presses ``key``: the event is queued, with a new code for the card.

    Returns ``events``, the ids of its rows, and ``response_code``. Raises ControlError 404 for an unknown card and 409
    where this phone does not show the button (any more); ``force`` presses it all the same, as a phone does that has
    not heard of the change, or somebody who tries what they may.
    """
    with world.store.transaction():
        rows = world.store.rows(f"{_CARDS} AND {_OF_TASK}", task_id)
        member = find_member(userid)
        userid = member.userid if member else userid
        mine = next((row for row in rows if row["userid"] == userid), None)
        if not force:
            _check_press(mine, rows, task_id, userid, key)
        code = secrets.token_urlsafe(32)
        seen = mine or next(iter(rows), None)
        if seen:
            msgid = seen["msgid"]
            world.store.insert("cards", response_code=code, msgid=msgid, task_id=task_id, issued_at=world.clock())
        return {"events": _raise_event(world, userid, task_id, key, code, seen), "response_code": code}


def make_older(world: World, task_id: str, hours: float) -> int:
    """As if the card and its codes were so many hours older; returns how many phones have it."""
    with world.store.transaction():
        seconds = hours * 3600
        world.store.execute("UPDATE cards SET issued_at = issued_at - ? WHERE task_id = ?", seconds, task_id)
        statement = f"UPDATE messages SET sent_at = sent_at - ? WHERE {_OF_TASK}"  # noqa: S608 - no text from outside
        return world.store.execute(statement, seconds, task_id).rowcount


def _check_press(mine: sqlite3.Row | None, rows: list[sqlite3.Row], task_id: str, userid: str, key: str) -> None:
    if not rows:
        raise ControlError(404, f"there is no card {task_id!r}")
    if mine is None or mine["dropped"] or mine["recalled_at"]:
        raise ControlError(409, f"{display_name(userid)} does not have the card {task_id!r}")
    if key not in keys_of(_shown(mine)):
        raise ControlError(409, f"the card {task_id!r} shows no button {key!r} now")


def _raise_event(world: World, userid: str, task_id: str, key: str, code: str, seen: sqlite3.Row | None) -> list[int]:
    sent = json.loads(seen["content"]) if seen else {}
    shown = _shown(seen) if seen else {}
    card = shown if key in keys_of(shown) else sent  # a phone that is behind still shows what was sent
    name, agent = keys_of(card).get(key, BUTTON_EVENT), world.options.agent_id
    content: list[Tag] = [
        ("ToUserName", world.options.corp_id),
        ("FromUserName", userid),
        ("CreateTime", world.now()),
        ("MsgType", "event"),
        ("Event", name),
        ("EventKey", key),
        ("TaskId", task_id),
        ("CardType", str(card.get("card_type") or "button_interaction")),
        ("ResponseCode", code),
        ("AgentID", agent),
    ]
    return world.events.emit(name, task_id, str(agent), element("xml", content))


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return shown_card(json.loads(row["content"]), json.loads(row["updated"]) if row["updated"] else None)


def _as_json(row: sqlite3.Row) -> dict[str, Any]:
    shown, gone = _shown(row), bool(row["dropped"] or row["recalled_at"])
    return {
        "task_id": json.loads(row["content"]).get("task_id", ""),
        "msgid": row["msgid"],
        "userid": row["userid"],
        "sent_at": row["sent_at"],
        "updated_at": row["replaced_at"],
        "shown": None if gone else shown,
        "keys": [] if gone else list(keys_of(shown)),
        "recalled": row["recalled_at"] is not None,
        "dropped": bool(row["dropped"]),
    }
