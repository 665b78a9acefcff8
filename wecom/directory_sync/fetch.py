"""Reading with patience: calls in the lane of bulk work that wait for budgets and pauses instead of failing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from wecom.client import WeComClient, for_config
from wecom.directory_sync.progress import Progress
from wecom.errors import QuotaError, RetryableError
from wecom.models import WeComConfig

LONGEST_PAUSE = 150.0
"""Seconds that a run waits for WeCom (its blocks by the minute last 60); for longer it gives its worker back."""
UNKNOWN_PAUSE = 5.0
MOST_REFUSALS = 3
"""Of one call in a row by WeCom's limits: waiting a little does not help then, and the worker has better to do."""
REPETITIONS = 3
"""Of one call (doc 90313: at most 3)."""
FIRST_WAIT = 1.0
"""Seconds before the first repetition; then twice as long."""

Answer = TypeVar("Answer")


class PutBack(Exception):
    """WeCom wants to be left alone for longer than a worker should wait; ``seconds`` from now it may be asked again.
    ``str()``: WeCom's reason."""

    def __init__(self, error: QuotaError, seconds: float) -> None:
        super().__init__(str(error.sentence))
        self.seconds = seconds


class Reading:
    """What the parts of one run share: the app, its patient calls, and what they have found for each other."""

    def __init__(self, config: WeComConfig, progress: Progress, *, since: datetime, force: bool = False) -> None:
        """``since``: when it began. ``force``: hashes are not believed, every row counts as different.

        Raises PermanentError when the app's secret cannot be opened.
        """
        self.config = config
        self.client = for_config(config)
        self.progress = progress
        self.since = since
        self.force = force
        self.departments: dict[int, int] | None = None
        """All departments that the app may see and their parents, once a part has read them."""

    def ask(self, call: Callable[[WeComClient], Answer], client: WeComClient | None = None) -> Answer:
        """The answer of ``call``, which makes one call by the client it is given (``client``, else the app's).

        Waits while the endpoint's budget is used up or paused, repeats what is worth repeating. Raises PutBack,
        RetryableError (repeated in vain), TokenError, PermanentError, ClaimLost.
        """
        failures = refusals = 0
        while True:
            try:
                answer = call(client or self.client)
            except QuotaError as error:
                refusals += error.errcode is not None  # WeCom's, not our own budget's or a pause that holds
                self._wait_for_turn(error, last=refusals >= MOST_REFUSALS)
            except RetryableError as error:
                failures += 1
                if failures > REPETITIONS:
                    raise
                self._rest(max(error.retry_after or 0.0, _back_off(failures)))
            else:
                self.progress.called()
                return answer

    def _wait_for_turn(self, error: QuotaError, *, last: bool) -> None:
        seconds = error.retry_after or UNKNOWN_PAUSE
        if last or seconds > LONGEST_PAUSE:
            raise PutBack(error, max(seconds, LONGEST_PAUSE)) from error
        self.progress.wait(seconds)  # and look again: a pause may end early

    def _rest(self, seconds: float) -> None:
        while seconds > 0:
            self.progress.wait(seconds)
            seconds -= 1.0


def _back_off(failures: int) -> float:
    return FIRST_WAIT * 2 ** (failures - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
