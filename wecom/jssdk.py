"""Signatures for pages that use WeCom's JS-SDK, and the tickets they are made with (docs 90506, 90514, 94313).

Two tickets: the company's for ``getConfigSignature``, the app's for ``getAgentConfigSignature``. Both are kept in Redis
until shortly before they end; they never leave the server.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext_lazy as _
from redis import RedisError
from redis.exceptions import LockError

from config.logging import remember_secret
from wecom.client import WeComClient
from wecom.errcodes import IT_REPEATS
from wecom.errors import RetryableError
from wecom.redis import redis, redis_needed
from wecom.tokens import app_key
from wecom.transport import CONNECT_SECONDS, READ_SECONDS

Kind = Literal["corp", "app"]

EARLY = 300
"""Seconds before its end from which a ticket is asked for anew: a page signs, and the client checks a moment later."""
LOCK_SECONDS = 2 * (CONNECT_SECONDS + READ_SECONDS)
"""The lock outlives the slowest call, and one for its access token, and ends by itself when its process is killed."""
LONGEST_WAIT = 10.0
"""Seconds for another process's ticket: somebody looks at the page."""
_ENDPOINTS: dict[Kind, tuple[str, dict[str, str]]] = {
    "corp": ("get_jsapi_ticket", {}),
    "app": ("ticket/get", {"type": "agent_config"}),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """What a page hands to the SDK. ``timestamp``: seconds."""

    timestamp: int
    nonce: str
    signature: str


def sign(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """SHA-1 in lower-case hex over the four in this very order, values raw. ``url`` is cut before its ``#``."""
    page = url.partition("#")[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}"
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - the protocol's choice


def signature_for(client: WeComClient, kind: Kind, url: str) -> Signature:
    """Signs the page ``url`` as the browser names it. Raises ``wecom.errors.WeComError``."""
    nonce, timestamp = secrets.token_hex(8), int(time.time())
    return Signature(timestamp, nonce, sign(ticket_of(client, kind), nonce, timestamp, url))


def ticket_of(client: WeComClient, kind: Kind) -> str:
    """The ticket, from Redis or from WeCom; asked for by one process at a time. Raises ``wecom.errors.WeComError``."""
    key = f"{app_key(client.config)}:ticket:{kind}"
    with redis_needed():
        if known := redis().get(key):
            return str(known)
    lock = redis().lock(f"{key}:lock", timeout=LOCK_SECONDS, blocking_timeout=LONGEST_WAIT)
    with redis_needed():
        mine = lock.acquire()
    if not mine:
        raise RetryableError(
            _("Another process is still waiting for WeCom's ticket."), remedy=IT_REPEATS, endpoint=_ENDPOINTS[kind][0]
        )
    try:
        with redis_needed():
            if known := redis().get(key):
                return str(known)
        ticket, seconds = _ask(client, kind)
        with redis_needed():
            redis().set(key, ticket, ex=max(1, seconds - EARLY))
        return ticket
    finally:
        with suppress(LockError, RedisError):
            lock.release()


def _ask(client: WeComClient, kind: Kind) -> tuple[str, int]:
    endpoint, params = _ENDPOINTS[kind]
    answer = client.get(endpoint, params)
    ticket, seconds = answer.get("ticket"), answer.get("expires_in")
    if not isinstance(ticket, str) or not ticket or not isinstance(seconds, int) or seconds <= 0:
        raise RetryableError(_("WeCom's answer holds no ticket."), remedy=IT_REPEATS, endpoint=endpoint)
    remember_secret(ticket)
    return ticket, seconds
