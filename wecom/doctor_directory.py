"""The doctor's question about the directory: was it read lately, completely, and will it be read again?"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import PeriodicTask

from config import cron
from config.doctor import Result, failed, passed, register_check
from wecom.configs import directory_readers
from wecom.doctor_asking import apps_to_ask, no_app
from wecom.models import (
    DIRECTORY_APPLIED,
    DIRECTORY_PARTS,
    DirectoryRunStatus,
    DirectorySyncRun,
    DirectoryType,
    WeComConfig,
)

SCHEDULE = "wecom: sync directory"
RUNS_MISSED = 2
"""So many scheduled moments may pass without a complete run: one may fall into a restart."""
PATIENCE = timedelta(hours=1)


def directory() -> Result:
    """The last run of each part was complete and, by the apps that the schedule reads with, is not too old; and the
    schedule is on."""
    apps = apps_to_ask()
    if not apps:
        return no_app()
    timed = PeriodicTask.objects.exclude(crontab=None, interval=None).select_related("interval", "crontab")
    row = timed.filter(name=SCHEDULE, enabled=True).first()
    if row is None:
        return failed(
            _("The directory is not read on schedule."),
            _("Switch “%(name)s” on under periodic tasks in admin.") % {"name": SCHEDULE},
        )
    scheduled = set(directory_readers().values_list("pk", flat=True))
    for app in apps:
        found = _failed_last(app) or (_too_old(app, row) if app.pk in scheduled else None)
        if found is not None:
            return found
    return passed(_("The directory is up to date, or waits for its first run."))


def _failed_last(app: WeComConfig) -> Result | None:
    """A part whose newest run failed. A run over everything counts for each part."""
    for part in DIRECTORY_PARTS:
        run = _closed(app, part).first()
        if run is not None and run.status == DirectoryRunStatus.FAILED:
            return failed(
                _("%(app)s: the last run (%(run)s) failed: %(message)s")
                % {"app": app, "run": run, "message": run.message},
                _("Remove the cause that the run names, then run “python manage.py sync_directory”."),
            )
    return None


def _too_old(app: WeComConfig, row: PeriodicTask) -> Result | None:
    """An app that was never read has as long for its first run as others have between two."""
    newest = [_closed(app, part).filter(status__in=DIRECTORY_APPLIED).first() for part in DIRECTORY_PARTS]
    since = min((run.finished_at or run.created_at) if run else app.created_at for run in newest)
    if _expected(row, since) > timezone.now():
        return None
    remedy = _("Check worker and beat, then run “python manage.py sync_directory”, and read what it says.")
    if not any(newest):
        return failed(_("%(app)s: the directory has never been read completely.") % {"app": app}, remedy)
    when = date_format(timezone.localtime(since), "Y-m-d H:i")
    return failed(
        _("%(app)s: the directory was last read completely at %(time)s.") % {"app": app, "time": when}, remedy
    )


def _expected(row: PeriodicTask, since: datetime) -> datetime:
    """Until when the next complete run after ``since`` should have been."""
    if row.crontab is not None:
        moments = cron.upcoming(row.crontab, after=since, count=RUNS_MISSED)
        return moments[-1] + PATIENCE
    step = timedelta(**{row.interval.period: row.interval.every})
    return since + RUNS_MISSED * step + PATIENCE


def _closed(app: WeComConfig, part: str) -> QuerySet[DirectorySyncRun]:
    """The runs that came to an end, the newest first."""
    covering = (part, DirectoryType.FULL)
    closed = (*DIRECTORY_APPLIED, DirectoryRunStatus.FAILED)
    return DirectorySyncRun.objects.filter(config=app, sync_type__in=covering, status__in=closed)


register_check("wecom.directory", gettext_lazy("Directory"), directory, place=97)
