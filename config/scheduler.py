"""Celery beat's scheduler: django-celery-beat's, with a sign of life for ``/health/ready``."""

from __future__ import annotations

from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from config.heartbeat import beat_heart


class HeartbeatScheduler(DatabaseScheduler):
    def tick(self, *args: Any, **kwargs: Any) -> float:
        beat_heart("beat")
        return super().tick(*args, **kwargs)
