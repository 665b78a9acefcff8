"""Keys that do not open the database are an incident from the first process that starts with them."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from config.checks import check_at_start
from notifications.models import Incident
from wecom.keys import KEYS_DO_NOT_OPEN, plant_canary

pytestmark = pytest.mark.django_db(transaction=True)

OTHER_KEY = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="


def start() -> None:
    check_at_start().join(30)


def test_keys_that_do_not_open_are_told_once_and_until_they_do(settings: Settings) -> None:
    plant_canary()
    start()
    assert not Incident.objects.exists()
    known, settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS, [OTHER_KEY]
    start()
    start()
    incident = Incident.objects.get()
    assert (incident.key, incident.resolved_at) == (f"start-check:{KEYS_DO_NOT_OPEN}", None)
    assert "FIELD_ENCRYPTION_KEYS" in incident.title and "rotate_keys" in incident.remedy
    settings.FIELD_ENCRYPTION_KEYS = known
    Incident.objects.create(key="about-something-else", title="x")
    start()
    assert list(Incident.objects.filter(resolved_at=None).values_list("key", flat=True)) == ["about-something-else"]
