"""How fast each endpoint may be called: WeCom's documented limits (doc 90312), and how the lanes share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.conf import settings

Lane = Literal["decision", "notice", "bulk"]

MINUTE: Final = 60
HOUR: Final = 3600
BASIC_CALLS_PER_MINUTE = 10_000
BASIC_CALLS_PER_HOUR = 150_000
"""Any single API, per corp (doc 90312)."""
TOKEN_CALLS_PER_MINUTE = 60
"""gettoken: our own bound, far above what one token per two hours needs, far below what gets an address blocked."""
UNCOUNTED = frozenset({"message/send"})
"""Not in the basic limits (doc 90312): counted by persons and day at WeCom, by member here (``wecom.member_rate``)."""
APPROVAL_ENDPOINTS = frozenset(
    {
        "oa/gettemplatedetail",
        "oa/applyevent",
        "oa/getapprovalinfo",
        "oa/getapprovaldetail",
        "oa/approval/create_template",
    }
)
LARGEST_BURST = 30
"""Calls at once, of a minute's budget."""
LANE_SHARE: dict[Lane, float] = {"decision": 1.0, "notice": 2 / 3, "bulk": 1 / 3}


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` calls at once, then one every ``interval`` seconds: at most ``limit`` in any ``window`` (seconds)."""

    limit: int
    window: int = MINUTE

    @property
    def burst(self) -> int:
        """Of an hour the half: what is short goes at the minute's speed, only what is long is slowed down."""
        if self.window == HOUR:
            return max(1, self.limit // 2)
        return max(1, min(LARGEST_BURST, self.limit // 10))

    @property
    def interval(self) -> float:
        return self.window / max(1, self.limit - self.burst)

    def tolerance(self, lane: Lane) -> float:
        """Seconds by which calls of ``lane`` may run ahead of the steady rate."""
        return (max(1, int(self.burst * LANE_SHARE[lane])) - 1) * self.interval

    def free(self, lane: Lane, ahead: float) -> int:
        """How many calls of ``lane`` pass at once while the bucket is ``ahead`` seconds ahead of the clock."""
        room = self.tolerance(lane) - ahead
        return 0 if room < 0 else int(room / self.interval + 1e-6) + 1

    def seconds(self, calls: int, lane: Lane) -> float:
        """What so many calls of ``lane`` take at least, when the bucket is full at their start."""
        return max(0.0, (calls - 1) * self.interval - self.tolerance(lane))


def rates_of(endpoint: str) -> tuple[Rate, ...]:
    """The limits of an endpoint (doc 90312), the minute's first; the approval APIs' comes from WECOM_CALLS_PER_MINUTE.

    An hour that the minutes cannot fill has no limit of its own.
    """
    if endpoint in UNCOUNTED:
        return ()
    minute = Rate(_calls_per_minute(endpoint))
    return (minute,) if minute.limit * MINUTE <= BASIC_CALLS_PER_HOUR else (minute, Rate(BASIC_CALLS_PER_HOUR, HOUR))


def has_long_blocks(endpoint: str) -> bool:
    """Whether WeCom may block it for longer than a minute, as a limit by the hour or by the day can be hit at all."""
    return endpoint in UNCOUNTED or any(rate.window > MINUTE for rate in rates_of(endpoint))


def _calls_per_minute(endpoint: str) -> int:
    if endpoint in APPROVAL_ENDPOINTS:
        return int(settings.WECOM_CALLS_PER_MINUTE)
    return TOKEN_CALLS_PER_MINUTE if endpoint == "gettoken" else BASIC_CALLS_PER_MINUTE


def shortest(endpoint: str, calls: int, lane: Lane) -> float:
    """Seconds that ``calls`` of ``lane`` take at least, by the limits of the endpoint."""
    return max((rate.seconds(calls, lane) for rate in rates_of(endpoint)), default=0.0)
