"""What a run will take, told before it starts: how many calls, and how long.

By what is here and by the pace of the last run. While nothing is here yet, WeCom is asked how large the company is, in
one small call for each type; whoever cannot be asked is forecast by what is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import structlog

from wecom.budgets import pauses
from wecom.client import WeComClient, for_config
from wecom.directory_sync.parts import READING_ENDPOINT, Answer, Ask, Part, parts_of
from wecom.errors import WeComError
from wecom.models import DIRECTORY_APPLIED, DirectorySyncRun, DirectoryType, WeComConfig
from wecom.rates import shortest
from wecom.tokens import app_key

logger = structlog.get_logger(__name__)


class Forecast(NamedTuple):
    calls: int
    least: timedelta
    """How long it takes if nothing gets in its way; a pause that WeCom has imposed included."""


class _Asking:
    """Makes each call once, in the app's name, and knows what the quickest took: the pace where there is no other."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client
        self._answers: dict[Any, Any] = {}
        self.seconds: float | None = None

    def __call__(self, call: Callable[[WeComClient], Answer], /) -> Answer:
        if call not in self._answers:
            self._client.tokens.get()  # not a part of the pace
            started = time.monotonic()
            self._answers[call] = call(self._client)
            took = time.monotonic() - started
            self.seconds = took if self.seconds is None else min(self.seconds, took)
        answer: Answer = self._answers[call]
        return answer


def forecasts(config: WeComConfig, sync_types: Sequence[str]) -> list[Forecast]:
    """Of runs of these types that would start now, each by itself."""
    asking = _asking(config)
    calls = [sum(_calls(part, config, asking) for part in parts_of(sync_type)) for sync_type in sync_types]
    measured = asking.seconds if asking else None
    found = []
    for sync_type, count in zip(sync_types, calls, strict=True):
        pace = _last_pace(config, sync_type) or measured or 0.0
        seconds = max(count * pace, shortest(READING_ENDPOINT, count, "bulk"))
        found.append(Forecast(count, timedelta(seconds=seconds + _pause(config, parts_of(sync_type)))))
    return found


def forecast(config: WeComConfig, sync_type: str) -> Forecast:
    """Of a run that would start now."""
    return forecasts(config, [sync_type])[0]


def _asking(config: WeComConfig) -> _Asking | None:
    try:
        return _Asking(for_config(config))
    except WeComError:  # its secret cannot be opened, which the run will say
        return None


def _calls(part: type[Part], config: WeComConfig, ask: Ask | None) -> int:
    try:
        return part.forecast(config, ask)
    except WeComError as error:
        logger.info("directory_size_unknown", app=config.slug, type=str(part.kind), error=repr(error))
        return part.forecast(config)


def _last_pace(config: WeComConfig, sync_type: str) -> float | None:
    """Seconds for each call of the last run that was applied, its writing included."""
    alike = DirectorySyncRun.objects.filter(config=config, sync_type__in=(sync_type, DirectoryType.FULL))
    last = alike.filter(status__in=DIRECTORY_APPLIED, calls_done__gt=0, started_at__isnull=False).first()
    return last.duration.total_seconds() / last.calls_done if last and last.duration else None


def _pause(config: WeComConfig, parts: Sequence[type[Part]]) -> float:
    """Seconds for which WeCom wants to be left alone; 0 where nobody knows."""
    try:
        left = pauses(app_key(config), [endpoint for part in parts for endpoint in part.endpoints])
    except WeComError:  # Redis is away
        return 0.0
    return max(left.values(), default=0.0)
