"""One access token per app, shared by all processes through Redis (doc 91039).

- Taken under a Redis lock: when it is missing, one process asks, the others wait for its result.
- Renewed while it is still good, by one process; the others go on with the old one.
- Dropped only by comparison: whoever saw *this* token refused may drop it, so a herd costs one gettoken.
- A failed gettoken opens a breaker (``wecom.breaker``).

The token stands in Redis in clear, for two hours at most. It is never logged.
"""

from __future__ import annotations

import hashlib
import math
import random
import secrets
import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from config.logging import remember_secret
from config.sealed import SealBroken
from wecom.breaker import Breaker
from wecom.budgets import Budget
from wecom.errors import IT_REPEATS, PermanentError, RetryableError, WeComError, raise_for_answer
from wecom.models import WeComConfig
from wecom.redis import redis, redis_needed
from wecom.transport import CONNECT_SECONDS, READ_SECONDS, exchange, log_call

logger = structlog.get_logger(__name__)

RENEW_BELOW = 300.0
"""Seconds before its end from which a token is renewed in passing; the last tenth of one that lives shorter."""
LOCK_SECONDS = 2 * (CONNECT_SECONDS + READ_SECONDS)
"""The lock outlives the slowest gettoken, and ends by itself when its process is killed."""
LONGEST_WAIT = LOCK_SECONDS + 1
POLL_SECONDS = 0.03
"""Waiting for another process's gettoken: its answer takes some 100 ms, a look costs 0.1 ms."""

_UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_DROP = "if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def app_key(config: WeComConfig) -> str:
    """Prefix of everything that Redis holds for one app. Names the server too: a stand-in's token is not WeCom's."""
    server = hashlib.sha256(settings.WECOM_API_BASE_URL.encode()).hexdigest()[:8]
    return f"wecom:{config.corp_id}:{config.slug}:{config.agent_id}:{server}"


@dataclass(frozen=True, slots=True)
class _Cached:
    token: str
    lifetime: float
    """Seconds, as WeCom gave it."""
    remaining: float
    """Seconds from now."""

    @property
    def renew_below(self) -> float:
        return min(RENEW_BELOW, self.lifetime / 10)


class TokenStore:
    """The access token of one app."""

    def __init__(self, config: WeComConfig) -> None:
        self._corp_id = config.corp_id
        self._secret = _reveal(config)
        remember_secret(self._secret)
        # A token and a breaker belong to one secret (doc 91039): with a new secret both start anew.
        digest = hashlib.sha256(f"{config.corp_id}\0{self._secret}".encode()).hexdigest()[:16]
        self._key = f"{app_key(config)}:token:{digest}"
        self._lock_key = f"{self._key}:lock"
        self._breaker = Breaker(f"{self._key}:breaker")
        self._budget = Budget(app_key(config))

    def get(self) -> str:
        """A usable token, from Redis or from WeCom.

        Raises PermanentError (wrong secret and the like), QuotaError or RetryableError; all of them at once, without
        asking, while the breaker is open.
        """
        cached = self._cached()
        if cached is None:
            return self._wait_for_new(unless_above=0.0)
        if cached.remaining < cached.renew_below:
            self._renew_in_passing(cached)
            cached = self._cached() or cached
        return cached.token

    def ask_anew(self) -> str:
        """A token that WeCom gives now, whatever is cached: whether it still accepts the secret. Kept like any other.

        Under the same lock, breaker and budget as ``get``, and raises the same.
        """
        return self._wait_for_new(unless_above=math.inf)

    def drop(self, token: str) -> None:
        """Forget ``token`` if it is still the cached one. WeCom may invalidate a token at any time."""
        with redis_needed():
            redis().register_script(_DROP)(keys=[self._key], args=[token])

    def remaining(self) -> float:
        """Seconds that the cached token is good for; 0 when there is none."""
        return self.ages()[1]

    def ages(self) -> tuple[float, float]:
        """Seconds since WeCom gave the cached token, and seconds that it is good for; both 0 when there is none."""
        cached = self._cached()
        return (cached.lifetime - cached.remaining, cached.remaining) if cached else (0.0, 0.0)

    def breaker_remaining(self) -> float:
        """Seconds for which nobody asks WeCom for a token; 0: the breaker is closed."""
        return self._breaker.remaining()

    def check_breaker(self) -> None:
        """Raise the error for which nobody asks WeCom for a token at the moment, if there is one."""
        self._breaker.check()

    def refresh_if_below(self, seconds: float) -> bool:
        """Renew the token when less than ``seconds`` of it are left. False: not needed, or another process does it."""
        if self.remaining() >= seconds:
            return False
        return self._fetch_alone(unless_above=seconds) is not None

    def _cached(self) -> _Cached | None:
        with redis_needed():
            look = redis().pipeline()
            look.hmget(self._key, "token", "lifetime")
            look.pttl(self._key)
            (token, lifetime), milliseconds = look.execute()
        return _Cached(token, float(lifetime), max(milliseconds, 0) / 1000) if token else None

    def _wait_for_new(self, *, unless_above: float) -> str:
        """A new token, or one that another process stored meanwhile with more than ``unless_above`` seconds left."""
        give_up = time.monotonic() + LONGEST_WAIT
        while time.monotonic() < give_up:
            self._breaker.check()
            token = self._fetch_alone(unless_above=unless_above)
            if token is not None:
                return token
            time.sleep(POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the waiting processes
            cached = self._cached()
            if cached is not None and cached.remaining > unless_above:
                return cached.token
        raise RetryableError(
            _("Another process is still waiting for WeCom's access token."),
            remedy=IT_REPEATS,
            endpoint="gettoken",
        )

    def _renew_in_passing(self, cached: _Cached) -> None:
        try:
            self._breaker.check()
            self._fetch_alone(unless_above=cached.renew_below)
        except WeComError as error:  # the old token still serves
            logger.warning("wecom_token_not_renewed", errcode=error.errcode, remaining=round(cached.remaining))

    def _fetch_alone(self, *, unless_above: float) -> str | None:
        """Ask WeCom under the lock; None when another process holds it.

        A token that somebody stored between our look and our lock is returned as it is.
        """
        owner = secrets.token_hex(8)
        with redis_needed():
            locked = redis().set(self._lock_key, owner, nx=True, px=round(LOCK_SECONDS * 1000))
        if not locked:
            return None
        try:
            cached = self._cached()
            if cached is not None and cached.remaining > unless_above:
                return cached.token
            self._breaker.check()
            return self._ask()
        finally:
            with redis_needed():
                redis().register_script(_UNLOCK)(keys=[self._lock_key], args=[owner])

    def _ask(self) -> str:
        self._budget.take("gettoken")
        started = time.monotonic()
        try:
            token, lifetime = self._exchange()
        except WeComError as error:
            log_call("gettoken", started, error)
            self._breaker.open(error)
            raise
        with redis_needed():
            store = redis().pipeline()
            store.hset(self._key, mapping={"token": token, "lifetime": lifetime})
            store.pexpire(self._key, round(lifetime * 1000))
            store.execute()
        log_call("gettoken", started)
        return token

    def _exchange(self) -> tuple[str, float]:
        answer = exchange("GET", "gettoken", params={"corpid": self._corp_id, "corpsecret": self._secret})
        raise_for_answer("gettoken", answer, final=True, hide=self._secret)
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lifetime, int) or lifetime <= 0:
            raise RetryableError(
                _("WeCom's answer holds no access token."),
                remedy=IT_REPEATS,
                endpoint="gettoken",
            )
        return token, float(lifetime)


def _reveal(config: WeComConfig) -> str:
    try:
        return config.secret.reveal()
    except SealBroken as error:
        raise PermanentError(
            _("The secret of the WeCom app cannot be opened."),
            remedy=_("Enter the secret again, or put the lost key back into FIELD_ENCRYPTION_KEYS."),
        ) from error
