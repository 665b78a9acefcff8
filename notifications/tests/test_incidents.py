"""One open row per trouble."""

from __future__ import annotations

import pytest

from notifications.incidents import raise_incident, resolve_incident
from notifications.models import Incident

pytestmark = pytest.mark.django_db


def test_the_same_trouble_is_one_row_that_counts() -> None:
    raise_incident("disk", title="Disk full", detail="95 %")
    raise_incident("disk", title="Disk full", detail="99 %", remedy="Free some space.")
    incident = Incident.objects.get()
    assert (incident.times, incident.detail, incident.remedy) == (2, "99 %", "Free some space.")
    assert incident.seen_at > incident.opened_at


def test_what_comes_back_after_it_was_resolved_is_a_new_row() -> None:
    raise_incident("disk", title="Disk full")
    assert resolve_incident("disk") is True
    assert resolve_incident("disk") is False
    raise_incident("disk", title="Disk full")
    assert [row.resolved_at is None for row in Incident.objects.order_by("id")] == [False, True]


def test_troubles_with_different_keys_do_not_touch_each_other() -> None:
    raise_incident("disk", title="Disk full")
    raise_incident("secret", title="Wrong secret")
    resolve_incident("disk")
    assert Incident.objects.get(resolved_at=None).key == "secret"


def test_a_long_title_is_cut_to_its_column() -> None:
    assert len(raise_incident("x", title="t" * 500).title) == 200
