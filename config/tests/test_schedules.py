"""Schedules: created once with the right time zone, never overwritten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config.schedules import Schedule, create_registered, ensure_schedule, register_schedule

pytestmark = pytest.mark.django_db


def test_an_interval_is_created_in_the_largest_fitting_unit():
    sweep = ensure_schedule("sweep-test", "t.sweep", every=timedelta(seconds=30)).interval
    reconcile = ensure_schedule("reconcile-test", "t.reconcile", every=timedelta(minutes=2)).interval
    assert (sweep.every, sweep.period) == (30, "seconds")
    assert (reconcile.every, reconcile.period) == (2, "minutes")


def test_a_crontab_runs_in_the_time_zone_of_the_site():
    row = ensure_schedule("nightly", "t.nightly", crontab="30 1 * * *", description="Every night.")
    assert (row.crontab.hour, row.crontab.minute) == ("1", "30")
    assert str(row.crontab.timezone) == settings.TIME_ZONE
    assert row.description == "Every night."


def test_what_an_operator_changed_stays():
    row = ensure_schedule("mine", "t.mine", every=timedelta(minutes=1))
    row.interval, _ = IntervalSchedule.objects.get_or_create(every=7, period="hours")
    row.enabled = False
    row.save()
    ensure_schedule("mine", "t.mine", every=timedelta(minutes=1))
    row.refresh_from_db()
    assert (row.interval.every, row.interval.period, row.enabled) == (7, "hours", False)


def test_registered_schedules_exist_after_migrate(monkeypatch):
    monkeypatch.setattr("config.schedules._registered", {})
    register_schedule("registered", "t.registered", every=timedelta(minutes=5))
    create_registered()
    create_registered()
    assert PeriodicTask.objects.filter(name="registered", task="t.registered").count() == 1


@pytest.mark.parametrize("timing", [{}, {"every": timedelta(minutes=1), "crontab": "* * * * *"}])
def test_a_schedule_needs_exactly_one_timing(timing):
    with pytest.raises(ValueError, match="give every or crontab"):
        Schedule("odd", "t.odd", **timing)
