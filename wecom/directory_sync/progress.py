"""What others see of a run while it is under way, its sign of life, and when it may be over."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from config.runs import ClaimLost, held
from wecom.directory_sync.parts import READING_ENDPOINT
from wecom.models import DirectoryRunStatus, DirectorySyncRun
from wecom.rates import shortest

WRITE_EVERY = 1.0
"""Seconds that the progress is old at most, beyond the time of one call."""
LEASE = timedelta(seconds=60)
"""How long a reading run may be silent: the slowest call with its token (wecom.transport), twice over."""
APPLYING_LEASE = timedelta(minutes=10)
"""Its transaction gives no sign of life, as nobody sees what is not committed."""
Tell = Callable[[DirectorySyncRun], object]
"""Called with the run whenever it has got further, for a progress bar."""


class Progress:
    """Counts in ``run``, and saves it now and then. Of a run that is saved nowhere (a dry run) it only counts."""

    def __init__(self, run: DirectorySyncRun, tell: Tell | None = None) -> None:
        self.run = run
        self._tell = tell or (lambda _run: None)
        self._saved_at = time.monotonic()

    def enter(self, phase: str, *, lease: timedelta = LEASE) -> None:
        """``phase``: a type, or what is done with all of them. Raises ClaimLost."""
        self.run.phase = phase
        self.save(lease)

    def expect(self, calls: int) -> None:
        """So many more calls are to be made than was known. Raises ClaimLost."""
        self.run.calls_expected = (self.run.calls_expected or 0) + calls
        self._advance()

    def called(self) -> None:
        """One call is done. Raises ClaimLost."""
        self.run.calls_done += 1
        self._advance()

    def fetched(self, rows: int) -> None:
        self.run.fetched += rows

    def wait(self, seconds: float) -> None:
        """Sleep, at most until the next sign of life is due. Raises ClaimLost."""
        time.sleep(min(seconds, WRITE_EVERY))
        self._advance()

    def _advance(self) -> None:
        self._tell(self.run)
        if time.monotonic() - self._saved_at >= WRITE_EVERY:
            self.save()

    def save(self, lease: timedelta = LEASE) -> None:
        self._saved_at = time.monotonic()
        run = self.run
        if run._state.adding:
            return
        run.alive_until = timezone.now() + lease
        names = ("phase", "calls_done", "calls_expected", "fetched", "alive_until")
        if not held(run).update(**{name: getattr(run, name) for name in names}):
            raise ClaimLost


def percent(run: DirectorySyncRun) -> int | None:
    """How much of the reading is done, as far as is known by now; None while nothing is. What is applied is read."""
    if not run.calls_expected:
        return None
    done = min(100, run.calls_done * 100 // run.calls_expected)
    return min(done, 99) if run.status == DirectoryRunStatus.RUNNING else done


def eta(run: DirectorySyncRun) -> timedelta | None:
    """How long a running run is likely to read on: at its own pace so far, and no faster than WeCom's limits allow."""
    if run.status != DirectoryRunStatus.RUNNING or run.calls_expected is None or run.started_at is None:
        return None
    left = max(0, run.calls_expected - run.calls_done)
    pace = (timezone.now() - run.started_at) / max(1, run.calls_done)
    return max(left * pace, timedelta(seconds=shortest(READING_ENDPOINT, left, "bulk")))
