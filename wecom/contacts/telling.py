"""Telling others of single changes, once they are committed."""

from __future__ import annotations

from django.db import transaction

from wecom.models import WeComConfig
from wecom.signals import contact_changed


def tell(config_id: int, kind: str, change: str, key: str, *, before: str = "") -> None:
    """Send ``contact_changed`` after the commit; its words are explained there."""

    def send() -> None:
        contact_changed.send_robust(
            WeComConfig, config_id=config_id, kind=str(kind), change=change, key=key, before=before
        )

    transaction.on_commit(send, robust=True)
