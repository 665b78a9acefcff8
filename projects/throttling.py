"""How often somebody may come with a link.

Two budgets. All requests of a client count against one in this process, which costs no round trip. Refused ones count
against one in Redis (``config.throttling.RefusedLinkThrottle``), shared by all processes and much smaller: whoever
guesses is soon told to wait, while valid links from the same address go on.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from wecom.refusals import Allowance

PER_MINUTE = 600
"""Requests of one client; as many may come at once. A whole office may sit behind one address."""
WAIT = 1
"""Seconds until an empty budget holds a few requests again."""
MOST_CLIENTS = 10_000
"""Budgets that a process remembers; the client that was longest away is forgotten first."""


class Budgets:
    """An Allowance for each client. Shared by the threads of a process."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self._per_minute = per_minute
        self._clients: OrderedDict[str, Allowance] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> bool:
        """Whether one more request of ``client`` is within its budget."""
        with self._lock:
            allowance = self._clients.get(client)
            if allowance is None:
                allowance = self._clients[client] = Allowance(self._per_minute, self._per_minute)
                if len(self._clients) > MOST_CLIENTS:
                    self._clients.popitem(last=False)
            else:
                self._clients.move_to_end(client)
        return allowance.take()


budgets = Budgets()
