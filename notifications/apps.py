from datetime import timedelta

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from config.schedules import register_schedule
        from notifications import events, listeners  # noqa: F401 - listeners registers itself

        post_migrate.connect(events.create_templates, sender=self, dispatch_uid="notifications.templates")

        register_schedule(
            "notifications: sweep",
            "notifications.sweep",
            every=timedelta(seconds=30),
            description=_("Resolves incidents whose trouble is over."),
        )
