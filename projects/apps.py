from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = _("Projects")

    def ready(self) -> None:
        from config.schedules import register_schedule
        from projects import doctor, metrics, schedule, telling  # noqa: F401 - checks and metrics register themselves
        from projects.sync import alarms  # noqa: F401 - hears what becomes of sources

        telling.register()
        schedule.register()
        register_schedule(
            "projects: sweep",
            "projects.sweep",
            every=timedelta(seconds=30),
            description=_("Closes synchronisations whose workers died, and starts those that were left behind."),
        )
        register_schedule(
            "projects: purge expired cache",
            "projects.purge_cache",
            crontab="0 2 * * *",
            description=_("Deletes projects that their library has not listed for seven days."),
        )
        register_schedule(
            "projects: purge expired tokens",
            "projects.purge_tokens",
            crontab="0 3 * * *",
            description=_("Deletes links that expired more than seven days ago, and the access log of long ago."),
        )
