"""WeCom's frequency limits: so many calls a minute for each endpoint, then 45009 for a minute (doc 90312)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from wecom.standin.errors import ApiError

BASIC_CALLS_PER_MINUTE = 10_000
BLOCK_SECONDS = 60.0
# The number is not documented; that a storm of wrong secrets blocks the address for an hour is (doc 90313).
WRONG_SECRETS_PER_HOUR = 30
WRONG_SECRET_BLOCK_SECONDS = 3600.0


@dataclass(slots=True)
class _Window:
    since: float
    calls: int = 0
    blocked_until: float = 0.0


class Limits:
    """Counts in memory; a restart forgives, as nobody restarts the real one."""

    def __init__(self, approval_calls_per_minute: int, clock: Callable[[], float]) -> None:
        self.approval_calls_per_minute = approval_calls_per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def count_call(self, endpoint: str, *, approval: bool) -> None:
        """Counts one call. Raises ApiError 45009 while the endpoint is blocked."""
        if self.approval_calls_per_minute:
            limit = self.approval_calls_per_minute if approval else BASIC_CALLS_PER_MINUTE
            self._count(endpoint, limit, BLOCK_SECONDS, BLOCK_SECONDS)

    def check_address(self, client_ip: str) -> None:
        """Raises ApiError 45009 while the address is banned for wrong secrets."""
        with self._lock:
            window = self._windows.get(f"secret {client_ip}")
            if window and self._clock() < window.blocked_until:
                raise _too_often()

    def count_wrong_secret(self, client_ip: str) -> None:
        self._count(f"secret {client_ip}", WRONG_SECRETS_PER_HOUR, 3600.0, WRONG_SECRET_BLOCK_SECONDS)

    def clear(self) -> None:
        with self._lock:
            self._windows.clear()

    def _count(self, name: str, limit: int, seconds: float, block: float) -> None:
        now = self._clock()
        with self._lock:
            window = self._windows.setdefault(name, _Window(now))
            if now < window.blocked_until:
                raise _too_often()
            if now - window.since >= seconds:
                window.since, window.calls = now, 0
            window.calls += 1
            if window.calls > limit:
                window.blocked_until = now + block
                raise _too_often()


def _too_often() -> ApiError:
    return ApiError(45009, "api freq out of limit")
