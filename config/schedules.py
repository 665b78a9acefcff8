"""Schedules are rows that belong to the operator: created once, never overwritten, edited in admin.

An app says in ``AppConfig.ready()`` what should exist (``register_schedule``); after each ``migrate`` the missing
rows are created. A row that an operator changed or disabled stays as it is.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask


@dataclass(frozen=True, slots=True)
class Schedule:
    """``every`` or ``crontab`` (five fields, in settings.TIME_ZONE), exactly one of them."""

    name: str
    task: str
    every: timedelta | None = None
    crontab: str | None = None
    description: str | Promise = ""

    def __post_init__(self) -> None:
        if (self.every is None) == (self.crontab is None):
            raise ValueError(f"schedule {self.name}: give every or crontab")


_registered: dict[str, Schedule] = {}


def register_schedule(
    name: str, task: str, *, every: timedelta | None = None, crontab: str | None = None, description: str | Promise = ""
) -> None:
    """To be called in ``AppConfig.ready()``. ``task`` is the Celery task's dotted name."""
    _registered[name] = Schedule(name, task, every=every, crontab=crontab, description=description)


def ensure_schedule(
    name: str, task: str, *, every: timedelta | None = None, crontab: str | None = None, description: str | Promise = ""
) -> PeriodicTask:
    """The row called ``name``; created as described if there is none, else returned untouched."""
    wanted = Schedule(name, task, every=every, crontab=crontab, description=description)
    existing = PeriodicTask.objects.filter(name=name).first()
    if existing is not None:
        return existing
    with translation.override(settings.LANGUAGE_CODE):  # migrate itself speaks English
        return PeriodicTask.objects.create(name=name, task=task, description=str(description), **_timing(wanted))


def _timing(schedule: Schedule) -> dict[str, Any]:
    if schedule.every is not None:
        seconds = int(schedule.every.total_seconds())
        minutes, odd_seconds = divmod(seconds, 60)
        interval, _created = IntervalSchedule.objects.get_or_create(
            every=seconds if odd_seconds else minutes,
            period=IntervalSchedule.SECONDS if odd_seconds else IntervalSchedule.MINUTES,
        )
        return {"interval": interval}
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    fields = dict(zip(names, (schedule.crontab or "").split(), strict=True))
    crontab, _created = CrontabSchedule.objects.get_or_create(
        **fields,
        timezone=zoneinfo.ZoneInfo(settings.TIME_ZONE),  # beat's default is UTC
    )
    return {"crontab": crontab}


def create_registered(**_: Any) -> None:
    """post_migrate receiver: every registered schedule exists afterwards."""
    for schedule in _registered.values():
        ensure_schedule(
            schedule.name,
            schedule.task,
            every=schedule.every,
            crontab=schedule.crontab,
            description=schedule.description,
        )
