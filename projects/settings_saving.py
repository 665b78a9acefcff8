"""Saving what operators choose, by REST or in admin: the schedule moves with it, documents are written anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any, TypeVar

from django.db import transaction

from config.wakeup import wake
from notifications.quiet import hours_changed
from projects import schedule
from projects.models import ProjectSyncConfig, TimeDisplayConfig
from projects.models.config import ONLY, Singleton
from projects.telling import EVENTS

REWRITE_TASK = "projects.rewrite_documents"
Row = TypeVar("Row", bound=Singleton)


def _locked(model: type[Row]) -> Row:
    """The one row, held until the end of the transaction: two people who change different fields lose nothing."""
    model.load()
    return model._default_manager.select_for_update().get(pk=ONLY)


def save_sync_config(values: Mapping[str, Any], *, auto_sync_enabled: bool | None = None) -> ProjectSyncConfig:
    """Set the fields of ``values`` (checked), and make the schedule's row agree. None leaves the schedule on or off.

    Raises config.cron.BadCron.
    """
    with transaction.atomic():
        config = _locked(ProjectSyncConfig)
        plan, hours = schedule.read(), _quiet_hours(config)
        # whoever saves sees what the row says; what they left as it was must not undo a move of the row
        config.sync_frequency, config.cron_expression = schedule.as_shown(config, plan)
        for name, value in values.items():
            setattr(config, name, value)
        config.save()
        enabled = plan.enabled if auto_sync_enabled is None else auto_sync_enabled
        schedule.move(enabled=enabled, text=schedule.effective(config))
        if _quiet_hours(config) != hours:
            hours_changed(EVENTS)
    return config


def _quiet_hours(config: ProjectSyncConfig) -> tuple[time | None, time | None]:
    return config.quiet_from, config.quiet_until


def save_time_display(values: Mapping[str, Any]) -> TimeDisplayConfig:
    """Set the fields of ``values`` (checked). If that changes anything, every document is written anew, by a worker;
    whoever comes before it is answered with the new format too."""
    with transaction.atomic():
        display = _locked(TimeDisplayConfig)
        zone = display.timezone
        if any(getattr(display, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(display, name, value)
            display.save()
            if display.timezone != zone:  # the clock of the quiet hours
                hours_changed(EVENTS)
            transaction.on_commit(lambda: wake(REWRITE_TASK))
    return display
