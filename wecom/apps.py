from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WeComAppConfig(AppConfig):
    name = "wecom"
    verbose_name = _("WeCom")

    def ready(self) -> None:
        from config.schedules import register_schedule
        from wecom import doctor, doctor_directory, doctor_rights, gauges, keys, last_callback, retention  # noqa: F401
        from wecom.login import doctor as login_doctor  # noqa: F401

        register_schedule(
            "wecom: sweep",
            "wecom.sweep",
            every=timedelta(seconds=30),
            description=_("Picks up callbacks and runs that were left behind."),
        )
        register_schedule(
            "wecom: refresh tokens",
            "wecom.refresh_tokens",
            every=timedelta(minutes=10),
            description=_("Renews access tokens that expire within 30 minutes."),
        )
        register_schedule(
            "wecom: sync directory",
            "wecom.sync_directory",
            crontab="30 1 * * *",
            description=_("Reads departments, members and customers."),
        )
        register_schedule(
            "config: retention",
            "wecom.retention",
            crontab="20 4 * * 0",
            description=_("Empties the payload of callbacks older than 180 days."),
        )
