"""The Celery application. Settings come from Django; what a worker and beat do when they start is decided here."""

from __future__ import annotations

import gc
import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import (
    heartbeat_sent,
    import_modules,
    setup_logging,
    task_prerun,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)
from django.db import close_old_connections
from django.dispatch import receiver
from django_structlog.celery.signals import bind_extra_task_metadata
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("quotebridge")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Having a receiver is the effect: Celery leaves the handlers that settings.LOGGING installed alone."""


@import_modules.connect
def stop_on_wrong_settings(**_: Any) -> None:
    """The first signal that worker and beat share; beat_init comes only after beat has read the database."""
    from config.checks import refuse_to_start

    refuse_to_start()


@worker_ready.connect
def look_into_database(**_: Any) -> None:
    from config.checks import check_at_start

    check_at_start()


@worker_process_init.connect
def leave_the_program_alone(**_: Any) -> None:
    """What is loaded by now stays until the end. Left to the collector, it would be looked through again and again
    while a run makes rows by the thousand: a tenth of the time of a first load."""
    gc.collect()
    gc.freeze()


@task_prerun.connect
def drop_broken_connections(task: Any, **_: Any) -> None:
    """CELERY_DB_REUSE_MAX keeps connections from task to task, those too whose server has been restarted: every task
    would fail on them, for ever. What django.db does before each request heals that, and the next query connects anew.
    """
    if not task.request.is_eager:  # then the connection belongs to whoever called, with its transaction
        close_old_connections()


@receiver(bind_extra_task_metadata)
def name_the_task(task: Any, **_: Any) -> None:
    """A task's log lines carry its id by themselves; a person looks for its name."""
    structlog.contextvars.bind_contextvars(task=task.name)


@heartbeat_sent.connect
def worker_is_alive(**_: Any) -> None:
    from config.heartbeat import beat_heart

    beat_heart("worker")


@worker_process_shutdown.connect
def send_last_counts(**_: Any) -> None:
    """The pool's processes end without Python's own exit, and with it without atexit."""
    from config import metrics_tally

    metrics_tally.flush()
