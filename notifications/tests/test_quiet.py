"""Quiet hours, over midnight and over the clock's changes."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.quiet import quiet_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-05 21:59", None),
        ("2026-01-05 22:00", "2026-01-06 08:00"),
        ("2026-01-06 00:00", "2026-01-06 08:00"),
        ("2026-01-06 07:59", "2026-01-06 08:00"),
        ("2026-01-06 08:00", None),
    ],
)
def test_over_midnight(now: str, until: str | None) -> None:
    end = quiet_until(datetime.fromisoformat(now).replace(tzinfo=SHANGHAI), time(22), time(8), SHANGHAI)
    assert end == (until and datetime.fromisoformat(until).replace(tzinfo=SHANGHAI))


@pytest.mark.parametrize(("now", "until"), [("11:59", None), ("12:00", "14:00"), ("13:59", "14:00"), ("14:00", None)])
def test_within_a_day(now: str, until: str | None) -> None:
    at = datetime.fromisoformat(f"2026-01-05 {now}").replace(tzinfo=SHANGHAI)
    end = quiet_until(at.astimezone(ZoneInfo("UTC")), time(12), time(14), SHANGHAI)
    assert end == (until and datetime.fromisoformat(f"2026-01-05 {until}").replace(tzinfo=SHANGHAI))


@pytest.mark.parametrize("hours", [(None, time(8)), (time(22), None), (None, None), (time(8), time(8))])
def test_half_a_setting_is_none(hours: tuple[time | None, time | None]) -> None:
    assert quiet_until(datetime(2026, 1, 5, 8, tzinfo=SHANGHAI), *hours, SHANGHAI) is None


def test_an_end_that_the_clock_skips() -> None:
    """On 29 March 2026 02:30 does not exist in Berlin."""
    now = datetime(2026, 3, 29, 1, 0, tzinfo=BERLIN)
    end = quiet_until(now, time(22), time(2, 30), BERLIN)
    assert end is not None
    assert end.astimezone(ZoneInfo("UTC")).isoformat() == "2026-03-29T01:30:00+00:00"


def test_an_end_that_comes_twice_is_the_later_one() -> None:
    """On 25 October 2026 02:30 comes twice in Berlin."""
    end = quiet_until(datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN), time(22), time(2, 30), BERLIN)
    assert end is not None
    assert end.astimezone(ZoneInfo("UTC")).isoformat() == "2026-10-25T01:30:00+00:00"


@given(minute=st.integers(min_value=0, max_value=366 * 24 * 60), start=st.times(), end=st.times())
def test_the_end_lies_ahead_within_a_day(minute: int, start: time, end: time) -> None:
    now = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(minutes=minute)
    until = quiet_until(now, start, end, BERLIN)
    if until is not None:
        assert 0 < (until - now).total_seconds() <= 26 * 3600
        changed = until.astimezone(BERLIN).utcoffset() != now.astimezone(BERLIN).utcoffset()
        assert changed or quiet_until(until, start, end, BERLIN) is None
