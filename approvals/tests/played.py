"""A stand-in that plays the company of an app, on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_django.fixtures import Settings

from wecom.models import WeComConfig
from wecom.standin.options import Options
from wecom.standin.server import StandinServer
from wecom.standin.world import World


@contextmanager
def played(app: WeComConfig, settings: Settings, folder: Path, *, callback_url: str = "") -> Iterator[StandinServer]:
    """While it runs, ``settings`` lead there. Without a ``callback_url`` it calls nobody back."""
    options = Options(
        database=folder / "standin.sqlite3",
        corp_id=app.corp_id,
        secret=app.secret.reveal(),
        agent_id=app.agent_id,
        token=app.callback_token.reveal(),
        aes_key=app.encoding_aes_key.reveal(),
        callback_url=callback_url,
        template_id=app.template_id,
        calls_per_minute=0,
        port=0,
    )
    server = StandinServer(World(options))
    server.start_in_background()
    settings.WECOM_API_BASE_URL = settings.WECOM_STANDIN_URL = server.url
    settings.WECOM_CALLS_PER_MINUTE = 100_000  # the budget has tests of its own
    try:
        yield server
    finally:
        server.stop()
