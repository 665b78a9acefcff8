"""How one stand-in is set up: where it listens, whose app it plays, whom it calls back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_TEMPLATE_ID = "TplQuoteDemo"
DEFAULT_ENGINE_TEMPLATE_ID = "TplQuoteEngine"


@dataclass(frozen=True, slots=True)
class Options:
    """``calls_per_minute`` limits each approval endpoint (doc 90312: 600); 0 lifts this limit and the basic one, for
    benches. ``company_size``: made-up members beside the thirteen with names. ``contact_secret``: of the sync
    assistant, which alone may list all userids; empty: there is none."""

    database: Path
    corp_id: str
    secret: str
    agent_id: int
    token: str
    aes_key: str
    callback_url: str = ""
    template_id: str = DEFAULT_TEMPLATE_ID
    engine_template_id: str = DEFAULT_ENGINE_TEMPLATE_ID
    calls_per_minute: int = 600
    company_size: int = 0
    contact_secret: str = ""
    host: str = "127.0.0.1"
    port: int = 8091
    login_domain: str = ""
    """Host (and port) that browsers may be sent back to after log-in; empty: none was entered in the console."""
