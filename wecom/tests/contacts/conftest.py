from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from wecom import inbox
from wecom.callback import OpenedCallback
from wecom.contacts import refreshes
from wecom.directory_sync import fetch, runs
from wecom.models import CallbackEvent, DirectorySyncRun, WeComConfig
from wecom.tests.contacts.crm import Crm
from wecom.tests.peers import Peer

_numbers = itertools.count()


@pytest.fixture
def crm(peer: Peer) -> Crm:
    found = Crm()
    found.serve(peer)
    return found


@pytest.fixture
def saved_app(app: WeComConfig, db: None) -> WeComConfig:
    app.save()
    return app


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What WeCom refuses for the moment is asked for again at once."""
    monkeypatch.setattr(fetch, "FIRST_WAIT", 0.001)


def synchronise(config: WeComConfig, sync_type: str = "customer", **options: Any) -> DirectorySyncRun:
    """One run from its opening to its end."""
    return runs.run(runs.open_run(config, sync_type, **options))


def arrive(config: WeComConfig, event: str, change: str, *, age: float = 0, **tags: object) -> CallbackEvent:
    """A callback that has come into the inbox; ``age``: seconds since it happened."""
    created = int(time.time() - age)
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in tags.items())
    payload = (
        f"<xml><FromUserName>sys</FromUserName><CreateTime>{created}</CreateTime><MsgType>event</MsgType>"
        f"<Event>{event}</Event><ChangeType>{change}</ChangeType>{inner}</xml>"
    )
    key = f"{event}:{next(_numbers)}"
    at = datetime.fromtimestamp(created, UTC)
    opened = OpenedCallback(key, event, change, "", "sys", at, payload, "primary")
    assert inbox.store(opened, config_id=config.pk)
    return CallbackEvent.objects.get(key=key)


def happens(config: WeComConfig, event: str, change: str, *, age: float = 0, **tags: object) -> str:
    """The same, and handled; returns the outcome. Nothing is read from WeCom yet."""
    row = arrive(config, event, change, age=age, **tags)
    inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.last_error) == ("succeeded", "")
    return row.outcome


def read_anew() -> int:
    """Let the task read what callbacks have spoken of; returns how many things."""
    return refreshes.process_due()
