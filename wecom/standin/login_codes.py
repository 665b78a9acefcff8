"""Log-in codes (docs 91022, 98176): issued to a browser by the authorise pages, told apart by ``auth/getuserinfo``."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from wecom.standin.call import Call
from wecom.standin.errors import ApiError
from wecom.standin.tokens import is_assistants

if TYPE_CHECKING:
    from wecom.standin.world import World

LIFETIME_SECONDS = 300


def issue(world: World, identity: dict[str, str]) -> str:
    """A code for somebody; ``identity`` is what getuserinfo will say."""
    code = secrets.token_urlsafe(32)
    world.store.insert("login_codes", code=code, identity=json.dumps(identity), issued_at=world.clock())
    return code


def getuserinfo(world: World, call: Call) -> dict[str, Any]:
    """A code is good once, for five minutes. Members outside the app's scope are named all the same (doc 91023)."""
    if is_assistants(call.query.get("access_token", "")):
        raise ApiError(48002, "api forbidden for this secret")
    with world.store.transaction():
        row = world.store.row("SELECT * FROM login_codes WHERE code = ?", call.query.get("code", ""))
        if row is None:
            raise ApiError(40029, "invalid code")
        if row["used_at"] is not None:
            raise ApiError(42022, "code has been used")
        if row["issued_at"] + LIFETIME_SECONDS <= world.clock():
            raise ApiError(42003, "code expired")
        world.store.execute("UPDATE login_codes SET used_at = ? WHERE code = ?", world.clock(), row["code"])
    return dict(json.loads(row["identity"]))
