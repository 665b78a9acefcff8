from __future__ import annotations

from axes.apps import AppConfig as AxesAppConfig
from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _
from django_celery_beat.apps import BeatConfig


class ConfigConfig(AppConfig):
    default = True  # the others below belong to libraries
    name = "config"
    verbose_name = _("Platform")

    def ready(self) -> None:
        from config import checks, metrics_queues, schedules  # noqa: F401 - checks and sources register themselves
        from config.logging import learn_secrets

        learn_secrets(settings)
        # The sender must have models: Django sends no signal for this app, which has none.
        beat = apps.get_app_config("django_celery_beat")
        post_migrate.connect(schedules.create_registered, sender=beat, dispatch_uid="config.schedules")


class AccessAttemptsConfig(AxesAppConfig):
    """django-axes under a name that is translated."""

    verbose_name = _("Log-in protection")


class ApiTokensConfig(AppConfig):
    """django-rest-knox under a name that is translated."""

    name = "knox"
    verbose_name = _("API tokens")

    def ready(self) -> None:
        # knox gives its model no name that could be translated; migrations do not look at this
        meta = self.get_model("AuthToken")._meta
        meta.verbose_name, meta.verbose_name_plural = _("API token"), _("API tokens")


class SchedulesConfig(BeatConfig):
    """django-celery-beat under a name that says what a person does with it."""

    verbose_name = _("Schedules")
