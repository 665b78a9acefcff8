"""Which pair of callback credentials WeCom used last, noted at the app: it tells during a rotation when the old may go.

Noted by the worker after events are handled, never while WeCom waits, and rarely: once a minute and process, or when
the pair changes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from config.durable import rows_closed
from wecom.models import CallbackEvent, WeComConfig

NOTED_EVERY = 60.0
"""Seconds."""

_noted: dict[int, tuple[float, str]] = {}
"""App → when it was last noted here (monotonic seconds), and with which pair."""


@receiver(rows_closed, sender=CallbackEvent)
def note_handled(rows: Sequence[CallbackEvent], **_kwargs: Any) -> None:
    newest: dict[int, CallbackEvent] = {}
    for row in rows:
        if row.credential == "contact":
            continue  # the sync assistant's pair says nothing about the app's two
        if row.config_id not in newest or row.created_at > newest[row.config_id].created_at:
            newest[row.config_id] = row
    for config_id, row in newest.items():
        if not _noted_lately(config_id, row.credential):
            _note(config_id, row)


def _noted_lately(config_id: int, credential: str) -> bool:
    at, pair = _noted.get(config_id, (0.0, ""))
    return pair == credential and time.monotonic() - at < NOTED_EVERY


def _note(config_id: int, row: CallbackEvent) -> None:
    """Events that are processed again, or late, must not turn the note back."""
    older = Q(last_callback_at__isnull=True) | Q(last_callback_at__lt=row.created_at)
    app = WeComConfig.objects.filter(older, pk=config_id)
    app.update(last_callback_at=row.created_at, last_credential=row.credential)
    _noted[config_id] = (time.monotonic(), row.credential)
