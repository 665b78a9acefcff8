from datetime import timedelta

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from django.conf import settings

        from config.schedules import register_schedule
        from notifications import (  # most register themselves
            alert_addresses,
            alert_measures,  # noqa: F401
            alert_rules,
            alert_watch,
            checks,  # noqa: F401
            directory_runs,  # noqa: F401
            events,
            listeners,  # noqa: F401
            metrics,  # noqa: F401
            retention,  # noqa: F401
            start_checks,  # noqa: F401
        )

        for url in settings.ALERT_URLS:
            alert_addresses.remember_address(url)
        post_migrate.connect(events.create_templates, sender=self, dispatch_uid="notifications.templates")
        post_migrate.connect(alert_rules.create_rules, sender=self, dispatch_uid="notifications.alert_rules")

        register_schedule(
            "notifications: sweep",
            "notifications.sweep",
            every=timedelta(seconds=30),
            description=_("Sends messages that were left behind, and ends incidents whose trouble is over."),
        )
        register_schedule(
            "config: alerts",
            alert_watch.TASK,
            every=timedelta(minutes=1),
            description=_("Looks whether a rule of the operations alerts is broken."),
        )
        register_schedule(
            "notifications: retention",
            "notifications.retention",
            crontab="40 4 * * 0",
            description=_("Deletes finished messages and resolved incidents older than 365 days."),
        )
