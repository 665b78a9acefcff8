"""How one stand-in is set up: where it listens, whose app it plays, whom it calls back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_TEMPLATE_ID = "TplQuoteDemo"


@dataclass(frozen=True, slots=True)
class Options:
    """``calls_per_minute`` limits each approval endpoint (doc 90312: 600); 0 lifts the limit, for benches."""

    database: Path
    corp_id: str
    secret: str
    agent_id: int
    token: str
    aes_key: str
    callback_url: str = ""
    template_id: str = DEFAULT_TEMPLATE_ID
    calls_per_minute: int = 600
    host: str = "127.0.0.1"
    port: int = 8091
