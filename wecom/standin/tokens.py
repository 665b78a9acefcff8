"""Access tokens (doc 91039): one per secret, good for 7200 s unless somebody ends it early."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any

from wecom.standin.call import Call
from wecom.standin.errors import ApiError

if TYPE_CHECKING:
    from wecom.standin.world import World

LIFETIME_SECONDS = 7200
APP, ASSISTANT = "a-", "c-"
"""How tokens begin; a token belongs to one secret."""


def gettoken(world: World, call: Call) -> dict[str, Any]:
    world.limits.check_address(call.client_ip)
    corp_id, secret = call.query.get("corpid", ""), call.query.get("corpsecret", "")
    if not corp_id:
        raise ApiError(41002, "corpid missing")
    if not secret:
        raise ApiError(41004, "corpsecret missing")
    if corp_id != world.options.corp_id:
        raise ApiError(40013, "invalid corpid")
    prefix = _prefix_for(world, secret)
    if prefix is None or world.faults.use("wrong_secret", "gettoken"):
        world.limits.count_wrong_secret(call.client_ip)
        raise ApiError(40001, "invalid credential")
    token, expires_at = _current(world, prefix)
    return {"access_token": token, "expires_in": round(expires_at - world.clock())}


def check_token(world: World, token: str) -> None:
    """Raises ApiError 41001 (none), 40014 (unknown or invalidated) or 42001 (expired)."""
    if not token:
        raise ApiError(41001, "access_token missing")
    row = world.store.row("SELECT expires_at, state FROM tokens WHERE token = ?", token)
    if row is None or row["state"] == "invalid":
        raise ApiError(40014, "invalid access_token")
    if row["state"] == "expired" or row["expires_at"] <= world.clock():
        raise ApiError(42001, "access_token expired")


def end_tokens(world: World, state: str) -> int:
    """Ends every live token: ``invalid`` answers 40014 from now on, ``expired`` 42001. Returns how many."""
    return world.store.execute("UPDATE tokens SET state = ? WHERE state = 'live'", state).rowcount


def is_assistants(token: str) -> bool:
    """Whether the sync assistant's secret got this token."""
    return token.startswith(ASSISTANT)


def _prefix_for(world: World, secret: str) -> str | None:
    """How the tokens of this secret begin; None for a wrong one."""
    for known, prefix in ((world.options.secret, APP), (world.options.contact_secret, ASSISTANT)):
        if known and hmac.compare_digest(secret.encode(), known.encode()):
            return prefix
    return None


def _current(world: World, prefix: str) -> tuple[str, float]:
    """The live token, or a new one. Asking again does not end the one before."""
    now = world.clock()
    with world.store.transaction():
        row = world.store.row(
            "SELECT token, expires_at FROM tokens WHERE state = 'live' AND expires_at > ? AND substr(token, 1, 2) = ?",
            now + 1,
            prefix,
        )
        if row:
            return row["token"], row["expires_at"]
        token, expires_at = prefix + secrets.token_urlsafe(96), now + LIFETIME_SECONDS
        world.store.insert("tokens", token=token, expires_at=expires_at, state="live")
        return token, expires_at
