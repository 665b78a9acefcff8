from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from config.schedules import register_schedule
        from notifications import listeners  # noqa: F401 - registers itself

        register_schedule(
            "notifications: sweep",
            "notifications.sweep",
            every=timedelta(seconds=30),
            description=_("Resolves incidents whose trouble is over."),
        )
