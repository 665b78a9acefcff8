"""``message/update_template_card`` and ``message/recall`` (docs 94888, 94867)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wecom.standin.call import Call
from wecom.standin.card_check import INTERACTIVE_CARDS, check_card
from wecom.standin.cards import shown_card
from wecom.standin.errors import ApiError
from wecom.standin.message_api import check_agent

if TYPE_CHECKING:
    from wecom.standin.world import World

CODE_SECONDS = 72 * 3600
RECALL_SECONDS = 24 * 3600


def update_template_card(world: World, call: Call) -> dict[str, Any]:
    """Replaces the card, or its buttons by a dead one, for some or all recipients; each response_code works once, for
    72 hours."""
    check_agent(world, call)
    button, card = call.mapping("button"), call.mapping("template_card")
    if not button.get("replace_name") and not card:
        raise ApiError(40063, "button.replace_name or template_card is required")
    if card:
        check_card(card)
    now = world.clock()
    with world.store.transaction():
        code = world.store.row("SELECT * FROM cards WHERE response_code = ?", call.text("response_code"))
        if code is None or code["used_at"] is not None or now - code["issued_at"] > CODE_SECONDS:
            raise ApiError(60140, "response_code is invalid or has expired")
        messages = world.store.rows(
            "SELECT * FROM messages WHERE msgid = ? AND msgid NOT IN (SELECT msgid FROM recalled)", code["msgid"]
        )
        targets, invalid = _update_targets(call, [message["userid"] for message in messages])
        if not targets:
            raise ApiError(82102, "no valid recipient to update")
        for message in messages:
            if message["userid"] in targets:
                update = card or _with_dead_button(message["content"], message["updated"], button)
                text = json.dumps(update, ensure_ascii=False)
                world.store.execute("UPDATE messages SET updated = ? WHERE id = ?", text, message["id"])
                world.store.execute("INSERT OR REPLACE INTO replaced VALUES (?, ?)", message["id"], world.clock())
        world.store.execute("UPDATE cards SET used_at = ? WHERE response_code = ?", now, code["response_code"])
    return {"invaliduser": invalid}


def _with_dead_button(content: str, updated: str, button: dict[str, Any]) -> dict[str, Any]:
    """``button`` on whatever the phone shows now, the card sent or one that replaced it."""
    before = json.loads(updated) if updated else {}
    if shown_card(json.loads(content), before).get("card_type") not in INTERACTIVE_CARDS:
        raise ApiError(40058, "the card has no button that replace_name could replace")
    return (before if before.get("card_type") else {}) | {"button": button}


def _update_targets(call: Call, received: list[str]) -> tuple[list[str], list[str]]:
    """Whom to update, and the userids (lower-cased) that never had the card."""
    if call.integer("atall") == 1:
        return received, []
    by_folded = {userid.casefold(): userid for userid in received}
    wanted = [str(userid).casefold() for userid in call.items("userids")]
    if not wanted:
        raise ApiError(82101, "no recipient to update")
    return (
        [by_folded[userid] for userid in wanted if userid in by_folded],
        [userid for userid in wanted if userid not in by_folded],
    )


def recall(world: World, call: Call) -> dict[str, Any]:
    """Takes a message of this app away from all its recipients, within 24 hours."""
    msgid = call.text("msgid")
    if not msgid:
        raise ApiError(40063, "msgid is missing")
    with world.store.transaction():
        row = world.store.row("SELECT min(sent_at) AS sent_at FROM messages WHERE msgid = ?", msgid)
        if row is None or row["sent_at"] is None:
            raise ApiError(40058, "msgid is not of this app")
        if world.clock() - row["sent_at"] > RECALL_SECONDS:
            raise ApiError(42052, "the message was sent more than 24 hours ago")
        world.store.execute("INSERT OR IGNORE INTO recalled (msgid, at) VALUES (?, ?)", msgid, world.clock())
    return {}
