"""The messages a member's phone shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wecom.standin.world import World


def messages_of(
    world: World, userid: str = "", *, delivered_only: bool = False, limit: int = 100
) -> list[dict[str, Any]]:
    """Newest first; all members' when no ``userid`` is given. ``updated``: what an update made of a card, or None.
    ``recalled``: taken away again."""
    rows = world.store.rows(
        "SELECT *, msgid IN (SELECT msgid FROM recalled) AS recalled FROM messages"
        " WHERE (? = '' OR userid = ?) AND dropped <= ? ORDER BY id DESC LIMIT ?",
        userid,
        userid,
        int(not delivered_only),
        limit,
    )
    return [
        {
            "msgid": row["msgid"],
            "userid": row["userid"],
            "msgtype": row["msgtype"],
            "content": json.loads(row["content"]),
            "sent_at": row["sent_at"],
            "dropped": bool(row["dropped"]),
            "recalled": bool(row["recalled"]),
            "updated": json.loads(row["updated"]) if row["updated"] else None,
        }
        for row in rows
    ]
