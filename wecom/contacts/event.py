"""One callback about contacts, as those who apply it see it, and what may come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wecom.models import CallbackEvent
from wecom.reading import text_of

APPLIED = "applied"
NOTED = "noted"
"""It will be read from WeCom; nothing was changed yet."""
UNCHANGED = "unchanged"
STALE = "stale"
"""A run has read what came of it."""
UNSYNCHRONISED = "unsynchronised"
"""The directory of that app was never read."""
IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class ContactEvent:
    """``doc``: the callback, folded (``wecom.reading``). ``at``: when it happened, by WeCom's clock."""

    row: CallbackEvent
    doc: Mapping[str, Any]
    at: datetime

    @property
    def config_id(self) -> int:
        return int(self.row.config_id)

    def text(self, name: str) -> str:
        return text_of(self.doc, name)
