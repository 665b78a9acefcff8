"""Log-ins that were begun: what ties WeCom's answer to the browser that asked (OAuth's ``state``).

A browser keeps its own in a signed cookie, so that a stranger who begins a million of them fills nothing here. Redis
only remembers which have been redeemed, for as long as they would be good.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass, field

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, get_random_string

from wecom.login.addresses import Way
from wecom.redis import redis, redis_needed

LIFETIME = 600
"""Seconds from begin to return: long enough to find the phone and scan."""
COOKIE = "wecom_login"
SALT = "wecom.login.states"
LENGTH = 32
AT_ONCE = 3
"""Log-ins that one browser may have begun: tabs."""


class StateRefused(Exception):
    """Missing, of another browser, too old, or redeemed before."""


@dataclass(frozen=True, slots=True)
class Pending:
    """``again``: begun by us, because WeCom refused the code of the one before."""

    way: Way
    next: str
    again: bool = False
    # letters and digits: in the client WeCom refuses everything else (84025), so no signed value of Django's
    state: str = field(default_factory=lambda: get_random_string(LENGTH))
    begun_at: int = field(default_factory=lambda: int(time.time()))


def remember(request: HttpRequest, response: HttpResponse, pending: Pending, *, instead_of: str = "") -> None:
    """Give the browser ``pending`` to keep; a state that is spent makes room for it."""
    _store(response, [*_kept_without(request, instead_of), pending][-AT_ONCE:])


def redeem(request: HttpRequest, state: str) -> Pending:
    """The log-in that this browser began with ``state``, once. Raises StateRefused; RetryableError without Redis."""
    for pending in _kept(request):
        if constant_time_compare(pending.state, state):
            with redis_needed():
                first = redis().set(f"wecom:login:redeemed:{pending.state}", "1", nx=True, ex=LIFETIME)
            if first:
                return pending
    raise StateRefused


def forget(request: HttpRequest, response: HttpResponse, state: str) -> None:
    """The cookie is of no use any more: take ``state`` out of it."""
    _store(response, _kept_without(request, state))


def _kept(request: HttpRequest) -> list[Pending]:
    try:
        values = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return []
    kept = [Pending(*value) for value in values]
    return [pending for pending in kept if time.time() - pending.begun_at < LIFETIME]


def _kept_without(request: HttpRequest, state: str) -> list[Pending]:
    return [pending for pending in _kept(request) if pending.state != state]


def _store(response: HttpResponse, kept: list[Pending]) -> None:
    path = reverse("wecom-login:start")
    if not kept:
        response.delete_cookie(COOKIE, path=path, samesite="Lax")
        return
    response.set_cookie(
        COOKIE,
        signing.dumps([astuple(pending) for pending in kept], salt=SALT, compress=True),
        max_age=LIFETIME,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # not Strict: WeCom's redirect comes from another site
    )
