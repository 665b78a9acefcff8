"""For all tests of projects: nothing that a process keeps in memory reaches the next test."""

from __future__ import annotations

import pytest

from projects import access_log, asking, door
from projects.throttling import Budgets


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # no thread writes the log into the database of another test: flush() does, in the test's own transaction
    monkeypatch.setattr(access_log, "_log", access_log.AccessLog(write_every=None))
    monkeypatch.setattr(door, "budgets", Budgets())
    monkeypatch.setattr(asking, "_open_questions", {})
