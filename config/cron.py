"""Five fields of cron: checked, and turned into the moments at which beat will act."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, crontab
from django.conf import settings
from django.utils.translation import gettext as _
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from config.cron_words import describe

FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
LONGEST_WAIT = timedelta(days=8 * 366)
"""Further ahead nobody looks: the 29th of February comes at least every eight years."""


class BadCron(ValueError):
    """``str()`` is a sentence for the person who wrote it."""


def parse(text: str) -> CrontabSchedule:
    """An unsaved schedule in the site's time zone. Raises BadCron."""
    values = text.split()
    if len(values) != len(FIELDS):
        raise BadCron(
            _("Write five fields: minute, hour, day of the month, month, day of the week; such as */15 * * * *.")
        )
    # beat's default zone is UTC
    schedule = CrontabSchedule(**dict(zip(FIELDS, values, strict=True)), timezone=ZoneInfo(settings.TIME_ZONE))
    for name, value in zip(FIELDS, values, strict=True):
        try:
            crontab(**{name: value})
        except (ValueError, ParseException, TypeError) as error:
            label = CrontabSchedule._meta.get_field(name).verbose_name
            raise BadCron(_("“%(value)s” cannot be read as: %(field)s.") % {"value": value, "field": label}) from error
    try:
        crontab(**dict(zip(FIELDS, values, strict=True)))
    except ValueError as error:  # such as the 30th of February
        raise BadCron(_("There is no such day; it would never run.")) from error
    return schedule


def as_text(schedule: CrontabSchedule) -> str:
    """The five fields, one blank between them."""
    return " ".join(getattr(schedule, name).replace(" ", "") for name in FIELDS)


def upcoming(schedule: CrontabSchedule, *, after: datetime, count: int) -> list[datetime]:
    """The next ``count`` moments (UTC) at which beat acts; fewer if they lie years ahead. As Celery does, all five
    fields must fit, the day of the month *and* the day of the week."""
    return list(islice(_moments(schedule, after.astimezone(UTC)), count))


def _moments(schedule: CrontabSchedule, after: datetime) -> Iterator[datetime]:
    fields = crontab(**{name: getattr(schedule, name) for name in FIELDS})
    zone = schedule.timezone
    day = after.astimezone(zone).date()
    last = day + LONGEST_WAIT
    times = [time(hour, minute) for hour in sorted(fields.hour) for minute in sorted(fields.minute)]
    while day <= last:
        if (
            day.month in fields.month_of_year
            and day.day in fields.day_of_month
            and day.isoweekday() % 7 in fields.day_of_week
        ):
            for at in times:
                moment = datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
                if moment > after:
                    yield moment
        day += timedelta(days=1)


def next_runs(task: PeriodicTask, *, now: datetime, count: int = 5) -> list[datetime]:
    """When ``task`` runs next (UTC); empty while it is switched off."""
    if not task.enabled:
        return []
    if task.crontab is not None:
        return upcoming(task.crontab, after=now, count=count)
    interval: IntervalSchedule | None = task.interval
    if interval is None:
        return []
    step = timedelta(**{interval.period: interval.every})
    first = max(now, (task.last_run_at or now) + step) if task.last_run_at else now + step
    return [first + step * n for n in range(count)]


def in_words(task: PeriodicTask) -> str:
    """When ``task`` runs, in the reader's language; a dash if it has no timing."""
    return describe(task.crontab) if task.crontab else str(task.interval or "–")
