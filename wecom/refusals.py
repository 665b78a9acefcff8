"""Callbacks that were turned away, kept for the person who sets the callback up.

Anybody can send nonsense to a public address, so what is kept is bounded twice: a process writes at most ``BURST`` rows
at once and ``PER_MINUTE`` over time, and the sweep keeps the newest ``KEPT``.
"""

from __future__ import annotations

import threading
import time

import structlog
from django.http import HttpRequest

from config.addresses import client_address
from wecom import metrics
from wecom.crypto import CallbackError
from wecom.models import RefusedCallback
from wecom.quick_insert import DatabaseAway, insert

logger = structlog.get_logger(__name__)

KEPT = 500
BURST = 30
PER_MINUTE = 30


class Allowance:
    """A bucket of ``burst`` that fills up again at ``per_minute``. Shared by the threads of a process."""

    def __init__(self, burst: int, per_minute: float) -> None:
        self._burst, self._per_second = float(burst), per_minute / 60
        self._left, self._at = float(burst), time.monotonic()
        self._lock = threading.Lock()

    def take(self, now: float | None = None) -> bool:
        """Whether one more is allowed now (monotonic seconds)."""
        now = time.monotonic() if now is None else now
        with self._lock:
            self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


allowance = Allowance(BURST, PER_MINUTE)


def note(request: HttpRequest, slug: str, error: CallbackError, body: bytes = b"") -> None:
    """Log a refusal and keep it, within the bounds. Never raises: the answer to the stranger comes first.

    Not an error in the log: the refusal is what should happen.
    """
    metrics.received.add("refused")
    address = client_address(request)
    logger.info("callback_refused", code=error.code, reason=error.reason, slug=slug, remote_address=address)
    if not allowance.take():
        return
    try:
        insert(
            RefusedCallback,
            slug=slug[:50],
            method=str(request.method)[:10],
            code=error.code,
            reason=error.reason[:300],
            remote_address=address,
            query=_printable(request.META.get("QUERY_STRING", ""))[:500],
            body_start=_printable(body[:500].decode("utf-8", "replace")),
        )
    except DatabaseAway as away:
        logger.info("callback_refusal_not_kept", error=str(away))


def trim() -> int:
    """Forget all but the newest ``KEPT``; returns how many were forgotten. For the sweep."""
    oldest_kept = RefusedCallback.objects.order_by("-id").values_list("id", flat=True)[KEPT - 1 : KEPT].first()
    if oldest_kept is None:
        return 0
    deleted, _ = RefusedCallback.objects.filter(id__lt=oldest_kept).delete()
    return deleted


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text)
