"""Everything one library consists of, put together once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from config.standin.faults import Faults
from config.standin.store import Store
from projects.standin.faults import FAULT_KINDS
from projects.standin.library import Library
from projects.standin.options import Options
from projects.standin.schema import SCHEMA


class World:
    """``clock`` returns Unix seconds. An empty library is filled when it is opened."""

    def __init__(self, options: Options, clock: Callable[[], float] = time.time) -> None:
        self.options = options
        self.store = Store(options.database, SCHEMA)
        self.faults = Faults(self.store, FAULT_KINDS)
        self.library = Library(self.store, clock)
        self._calls: Counter[tuple[str, int]] = Counter()
        self._counting = threading.Lock()
        if not self.library.count():
            self.library.add_many(options.projects)

    def count(self, endpoint: str, status: int) -> None:
        with self._counting:
            self._calls[endpoint, status] += 1

    def calls(self) -> dict[str, dict[str, int]]:
        """Answers since the start by endpoint (``list``, ``single``) and HTTP status."""
        with self._counting:
            counted = dict(self._calls)
        answers: dict[str, dict[str, int]] = {}
        for (endpoint, status), number in sorted(counted.items()):
            answers.setdefault(endpoint, {})[str(status)] = number
        return answers

    def reset(self, projects: int) -> None:
        """Everything anew with so many projects; no fault is on."""
        self.library.begin_anew(projects)
        with self._counting:
            self._calls.clear()

    def close(self) -> None:
        self.store.close()
