from __future__ import annotations

from typing import Any

import pytest

from wecom.directory_sync import fetch, runs
from wecom.models import DirectorySyncRun, WeComConfig
from wecom.tests.directory.company import Company
from wecom.tests.peers import Peer


@pytest.fixture
def company(peer: Peer) -> Company:
    found = Company()
    found.serve(peer)
    return found


@pytest.fixture
def saved_app(app: WeComConfig, db: None) -> WeComConfig:
    app.save()
    return app


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What WeCom refuses for the moment is asked for again at once."""
    monkeypatch.setattr(fetch, "FIRST_WAIT", 0.01)


def synchronise(config: WeComConfig, sync_type: str = "full", **options: Any) -> DirectorySyncRun:
    """One run from its opening to its end."""
    return runs.run(runs.open_run(config, sync_type, **options))
