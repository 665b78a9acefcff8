"""The doctor's questions to the mirror: do the libraries answer, is it up to date, does it stay so?"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.doctor import Result, failed, passed, register_check
from projects import schedule
from projects.errors import RemoteError
from projects.remote import RemoteLibrary
from projects.sources import enabled_sources

RUNS_MISSED = 3
"""A source that has not been read completely for as long as so many runs apart is behind."""
PATIENCE = timedelta(hours=1)
"""However often it runs: an hour is no reason for alarm."""


def libraries() -> Result:
    """Every enabled source answers. A site without any mirrors nothing, and nothing is wrong with it."""
    sources = enabled_sources()
    if not sources:
        return passed(_("No project library is set; nothing is mirrored."))
    counts = []
    for source in sources:
        try:
            counts.append(f"{source}: {RemoteLibrary(source).test()}")
        except RemoteError as error:
            return failed(f"{source}: {error.sentence}", error.remedy)
    return passed(_("Projects in the libraries: %(counts)s.") % {"counts": ", ".join(counts)})


def last_run() -> Result:
    """Every enabled source was read completely, not longer ago than its schedule lets expect."""
    limit = timezone.now() - _expected_gap()
    for source in enabled_sources():
        if source.confirmed_at is None:
            return failed(
                _("%(source)s has never been read completely.") % {"source": source},
                _("Run “python manage.py sync_projects”, and read what it says."),
            )
        if source.confirmed_at < limit:
            return failed(
                _("%(source)s was last read completely at %(time)s.")
                % {"source": source, "time": timezone.localtime(source.confirmed_at).strftime("%Y-%m-%d %H:%M")},
                _("Look at the synchronisation history in admin; its last runs say what went wrong."),
            )
    return passed(_("The mirror is up to date."))


def _expected_gap() -> timedelta:
    runs: list[datetime] = schedule.read().next_runs
    gap = max((later - earlier for earlier, later in pairwise(runs)), default=timedelta(days=1))
    return max(PATIENCE, RUNS_MISSED * gap)


def on_schedule() -> Result:
    plan = schedule.read()
    if not enabled_sources():
        return passed(_("There is nothing to synchronise."))
    if not plan.enabled:
        return failed(
            _("Projects are not synchronised on schedule."),
            _("Switch it on in admin, under synchronisation settings."),
        )
    return passed(_("Projects are synchronised on schedule: %(words)s.") % {"words": plan.words})


register_check("projects.libraries", gettext_lazy("Project libraries"), libraries, place=110)
register_check("projects.last_run", gettext_lazy("Last complete synchronisation"), last_run, place=111)
register_check("projects.schedule", gettext_lazy("Schedule of synchronisation"), on_schedule, place=112)
