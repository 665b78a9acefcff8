"""When the mirror is synchronised: the row "projects: sync" of the schedules is the truth, whoever moved it.

``ProjectSyncConfig`` keeps what was typed. Its effective expression is the own schedule, or else the frequency.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from config import cron
from config.schedules import ensure_schedule, register_schedule
from projects.models import ProjectSyncConfig

NAME = "projects: sync"
TASK = "projects.sync"
DEFAULT = "*/15 * * * *"
DESCRIPTION = _("Keeps the mirror of the project libraries; follows the synchronisation settings.")


def register() -> None:
    register_schedule(NAME, TASK, crontab=DEFAULT, description=DESCRIPTION)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the schedule's row says. ``text``: five fields of cron, or "@every 7 minutes" for a row that somebody gave
    an interval; empty if there is no row."""

    enabled: bool
    text: str = ""
    words: str = ""
    next_runs: list[datetime] = field(default_factory=list)
    last_run_at: datetime | None = None


def read(*, now: datetime | None = None) -> Plan:
    row = PeriodicTask.objects.filter(name=NAME).select_related("crontab", "interval").first()
    if row is None:
        return Plan(enabled=False)
    runs = cron.next_runs(row, now=now or timezone.now())
    return Plan(row.enabled, _text(row), cron.in_words(row), runs, row.last_run_at)


def _text(row: PeriodicTask) -> str:
    if row.crontab is not None:
        return cron.as_text(row.crontab)
    interval: IntervalSchedule | None = row.interval
    return f"@every {interval.every} {interval.period}" if interval else ""


def effective(config: ProjectSyncConfig) -> str:
    """The expression that the settings ask for."""
    return " ".join((config.cron_expression or config.sync_frequency).split())


def as_shown(config: ProjectSyncConfig, plan: Plan) -> tuple[str, str]:
    """Frequency and own schedule as they are shown: as typed, unless the row was moved since. Whichever of the two
    counts then says what the row says, so that saving them again changes nothing."""
    if not plan.text or effective(config) == plan.text:
        return config.sync_frequency, config.cron_expression
    return (config.sync_frequency, plan.text) if config.cron_expression else (plan.text, "")


def check(text: str) -> None:
    """Raises config.cron.BadCron for an expression that can neither be read nor is the row's own."""
    text = " ".join(text.split())
    if text != read().text:
        cron.parse(text)


def move(*, enabled: bool, text: str) -> None:
    """Make the row say this, from the next tick of beat on. Raises config.cron.BadCron."""
    text = " ".join(text.split())
    row = ensure_schedule(NAME, TASK, crontab=DEFAULT, description=DESCRIPTION)
    if text != _text(row):
        wanted = cron.parse(text)
        values = {name: getattr(wanted, name) for name in (*cron.FIELDS, "timezone")}
        # twins are possible there: the table has no unique constraint
        row.crontab = CrontabSchedule.objects.filter(**values).first() or CrontabSchedule.objects.create(**values)
        row.interval = row.solar = row.clocked = None
        row.one_off = False
    row.enabled = enabled
    row.save()
    PeriodicTasks.update_changed()
