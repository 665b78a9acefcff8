"""Who runs what when several workers share the tests: long ones first, and tests that share a house stay together.

Half of the time the suite waits for processes that it has started. Begun first and beside each other, these tests leave
the processor to the others; begun last, one of them would keep everybody waiting.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

HOUSE = "/tests/e2e/"
WALKS = "/tests/machine/"
"""Here each test computes for long and shares nothing with the others: each is a piece."""
LONG = ("slow", "browser")
"""Markers of what is begun early."""


class Scheduler(LoadScopeScheduling):
    """Module by module (or class by class) in the order of ``sort``; a package with a house is one piece, each of the
    walks another."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """The piece of work that a test belongs to."""
    if WALKS in nodeid:
        return nodeid
    before, house, _rest = nodeid.partition(HOUSE)
    return before + house if house else nodeid.rsplit("::", 1)[0]


def sort(items: list[pytest.Item]) -> None:
    """Packages with a house, then what holds something long, then the rest; of each, the most tests first."""
    scopes = {item: scope_of(item.nodeid) for item in items}
    tests = Counter(scopes.values())
    long = {scope for item, scope in scopes.items() if any(map(item.get_closest_marker, LONG))}

    def place(item: pytest.Item) -> tuple[bool, bool, int]:
        scope = scopes[item]
        return HOUSE not in scope, scope not in long and WALKS not in scope, -tests[scope]

    items.sort(key=place)
