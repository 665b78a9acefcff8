"""Where counts of all processes meet: one hash in Redis, added to in batches by a thread of each process.

Calls happen in web processes, in Celery's workers, in commands, on several machines perhaps; Prometheus asks one web
process. Files that all of them map into memory (prometheus-client's own multi-process mode) need a folder that all
machines share, keep the numbers of every process that ever lived until somebody tidies up, and are read whole at each
scrape. A hash has one field per series, whoever counted.

What that costs and what it promises:

- Counting is one addition to a dictionary, about a microsecond. It never waits for Redis, whatever that does.
- A batch leaves ``EVERY`` seconds after its first count. It carries a number and Redis remembers the last one of each
  process, so a batch whose answer was lost is sent again and still counts once.
- While Redis is away, counts gather here. They cannot grow without bound: there is one entry per series, and the
  labels of ``config.metrics`` take known values only.
- Lost is what a process had not sent when it was killed (less than a second's counts), and everything when Redis
  loses its data: the series begin again at zero, as Prometheus expects of any counter.

Values are whole numbers (seconds are counted in microseconds), so nothing is rounded, in whatever order it arrives.
"""

from __future__ import annotations

import atexit
import os
import threading
import uuid
from collections import defaultdict
from collections.abc import Mapping

import structlog
from redis import RedisError

from config.heartbeat import redis

logger = structlog.get_logger(__name__)

KEY = "quotebridge:metrics"
EVERY = 1.0
"""Seconds in which counts gather before they leave."""
REST = 5.0
"""Seconds without another attempt after Redis failed."""
REMEMBERED = 86_400
"""Seconds for which Redis remembers the last batch of a process: how long one may have to be repeated."""
FLUSH_AT_EXIT = 1.0
"""Seconds that a process which ends waits for its last counts to leave."""

_SHIP = """
if tonumber(redis.call('GET', KEYS[2]) or 0) >= tonumber(ARGV[1]) then return 0 end
for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
return 1
"""
"""KEYS: the hash, the number of this process's last batch. ARGV: the batch's number, seconds, field, value, …"""


class Tally:
    """The counts of this process; one instance per process, made again after a fork."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._sent_key = f"{KEY}:sent:{uuid.uuid4().hex}"
        self._number = 0
        self._gathered: dict[str, int] = defaultdict(int)
        self._batch: dict[str, int] = {}
        self._changed = threading.Condition()
        self._hurry = False
        self._thread: threading.Thread | None = None

    def add(self, changes: Mapping[str, int]) -> None:
        """Add to fields of the hash, all of them in the same batch. Returns at once."""
        with self._changed:
            first = not self._gathered
            for field, value in changes.items():
                self._gathered[field] += value
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
                self._thread.start()
                atexit.register(self.flush, FLUSH_AT_EXIT)
            if first:
                self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Send what has gathered now; False when that took longer than ``timeout`` seconds."""
        if os.getpid() != self.pid:
            return True
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._gathered and not self._batch, timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._gathered))
                self._pause(EVERY)
                self._take()
            while not self._send():
                with self._changed:
                    self._pause(REST)

    def _pause(self, seconds: float) -> None:
        self._changed.wait_for(lambda: self._hurry, seconds)
        self._hurry = False

    def _take(self) -> None:
        self._batch, self._gathered = self._gathered, defaultdict(int)
        self._number += 1

    def _send(self) -> bool:
        pairs = [part for field_and_value in self._batch.items() for part in field_and_value]
        try:
            redis().register_script(_SHIP)(keys=[KEY, self._sent_key], args=[self._number, REMEMBERED, *pairs])
        except RedisError as error:
            logger.debug("metrics_not_sent", error=type(error).__name__)
            return False
        with self._changed:
            self._batch = {}
            self._changed.notify_all()
        return True


_tally = Tally()


def add(changes: Mapping[str, int]) -> None:
    """Add to fields of the hash that all processes share. Never raises, never waits for Redis."""
    _own().add(changes)


def flush(timeout: float = FLUSH_AT_EXIT) -> bool:
    """Wait at most ``timeout`` seconds for the counts of this process to leave; True if they did."""
    return _own().flush(timeout)


def totals() -> dict[str, int]:
    """The counts of all processes. Raises redis.RedisError."""
    found: dict[str, str] = redis().hgetall(KEY)  # type: ignore[assignment]
    return {field: int(value) for field, value in found.items()}


def _own() -> Tally:
    global _tally
    if _tally.pid != os.getpid():  # neither threads nor unsent counts belong to a child
        _tally = Tally()
    return _tally
