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
from wecom.doctor_asking import enabled_apps, no_app
from wecom.models import DirectoryRunStatus, DirectorySyncRun, DirectoryType, WeComConfig

SCHEDULE = "wecom: sync directory"
RUNS_MISSED = 2
"""So many scheduled moments may pass without a complete run: one may fall into a restart."""
PATIENCE = timedelta(hours=1)
COMPLETE = (DirectoryRunStatus.SUCCESS, DirectoryRunStatus.PARTIAL)
PARTS = (DirectoryType.DEPARTMENT, DirectoryType.USER, DirectoryType.CUSTOMER)


def directory() -> Result:
    """The last run of each part was complete and is not too old, and the schedule is on."""
    apps = enabled_apps()
    if not apps:
        return no_app()
    timed = PeriodicTask.objects.exclude(crontab=None, interval=None).select_related("interval", "crontab")
    row = timed.filter(name=SCHEDULE, enabled=True).first()
    if row is None:
        return failed(
            _("The directory is not read on schedule."),
            _("Switch “%(name)s” on under periodic tasks in admin.") % {"name": SCHEDULE},
        )
    read = DirectorySyncRun.objects.values_list("config_id", flat=True).distinct()
    for app in (apps[0], *(app for app in apps[1:] if app.pk in set(read))):
        found = _failed_last(app) or _too_old(app, row)
        if found is not None:
            return found
    return passed(_("The directory is up to date, or waits for its first run."))


def _failed_last(app: WeComConfig) -> Result | None:
    """A part whose newest run failed. A run over everything counts for each part."""
    for part in PARTS:
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
    newest = [_closed(app, part).filter(status__in=COMPLETE).first() for part in PARTS]
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
    closed = (*COMPLETE, DirectoryRunStatus.FAILED)
    return DirectorySyncRun.objects.filter(config=app, sync_type__in=covering, status__in=closed)


register_check("wecom.directory", gettext_lazy("Directory"), directory, place=97)
