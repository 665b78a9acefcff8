"""Five fields of cron: read as Celery reads them, and turned into moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from django.conf import settings
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from config import cron
from config.cron import BadCron, as_text, next_runs, parse, upcoming

SUNDAY_NOON = datetime(2026, 1, 4, 4, 0, tzinfo=UTC)
"""In Shanghai; a Sunday."""


def local(moments: list[datetime]) -> list[str]:
    zone = ZoneInfo(settings.TIME_ZONE)
    return [moment.astimezone(zone).strftime("%m-%d %H:%M") for moment in moments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 * * * *", ["01-04 12:15", "01-04 12:30", "01-04 12:45"]),
        ("0 12 * * *", ["01-05 12:00", "01-06 12:00", "01-07 12:00"]),
        ("30 9,18 * * mon-fri", ["01-05 09:30", "01-05 18:30", "01-06 09:30"]),
        ("0 0 1 */3 *", ["04-01 00:00", "07-01 00:00", "10-01 00:00"]),
        ("0 8 13 * fri", ["02-13 08:00", "03-13 08:00", "11-13 08:00"]),  # both fit, as Celery has it
        ("0 0 29 2 *", ["02-29 00:00", "02-29 00:00"]),
    ],
)
def test_the_next_moments(text: str, expected: list[str]):
    assert local(upcoming(parse(text), after=SUNDAY_NOON, count=3)) == expected


@pytest.mark.parametrize("text", ["*/7 * * * *", "5 */5 * * *", "0 3 */10 * *", "17 4 * 2,11 sat", "59 23 31 12 *"])
def test_celery_itself_is_due_at_exactly_these_moments(text: str):
    """Its own reckoning, asked at every moment that we name."""
    schedule = parse(text)
    last = SUNDAY_NOON
    for moment in upcoming(schedule, after=last, count=6):
        rule = crontab(**{name: getattr(schedule, name) for name in cron.FIELDS}, nowfun=lambda at=last: at)
        zone = ZoneInfo(settings.TIME_ZONE)
        start, delta, _now = rule.remaining_delta(last.astimezone(zone), tz=zone)
        assert (start + delta).astimezone(UTC) == moment
        last = moment


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 * * * *", "“60”"),
        ("* 24 * * *", "“24”"),
        ("* * 32 * *", "“32”"),
        ("* * * 0 *", "“0”"),
        ("* * * * 7", "“7”"),
        ("a * * * *", "“a”"),
        ("*/0 * * * *", "“*/0”"),
        ("0 0 31 4 *", "never run"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_a_sentence(text: str, word: str):
    from django.utils import translation

    with translation.override("en"), pytest.raises(BadCron, match=word.replace("*", r"\*")):
        parse(text)


def test_it_runs_in_the_sites_time_zone_and_is_written_as_it_was():
    schedule = parse("  30  1 * *   1-5 ")
    assert str(schedule.timezone) == settings.TIME_ZONE
    assert as_text(schedule) == "30 1 * * 1-5"
    assert as_text(CrontabSchedule(minute="0, 30")) == "0,30 * * * *"


def test_next_runs_of_a_row():
    off = PeriodicTask(crontab=parse("0 * * * *"), enabled=False)
    assert next_runs(off, now=SUNDAY_NOON) == []
    every = PeriodicTask(interval=IntervalSchedule(every=2, period="hours"))
    hours = timedelta(hours=2)
    assert next_runs(every, now=SUNDAY_NOON, count=2) == [SUNDAY_NOON + hours, SUNDAY_NOON + 2 * hours]
    every.last_run_at = SUNDAY_NOON - timedelta(hours=1)
    assert next_runs(every, now=SUNDAY_NOON, count=1) == [SUNDAY_NOON + timedelta(hours=1)]
    every.last_run_at = SUNDAY_NOON - timedelta(days=1)
    assert next_runs(every, now=SUNDAY_NOON, count=1) == [SUNDAY_NOON]
