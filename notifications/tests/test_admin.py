"""Incidents in the admin: read by many, resolved by some, edited by nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from notifications.incidents import raise_incident
from notifications.models import Incident

pytestmark = pytest.mark.django_db
LIST = "/admin/notifications/incident/"


@pytest.fixture
def incident() -> Incident:
    return raise_incident("wecom:secret", title="Wrong secret", detail="gettoken says 40001", remedy="Enter it again.")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_it_is_read_with_the_right_to_view(incident: Incident, log_in: Callable[..., Client], language: str) -> None:
    reader = log_in("view_incident", language=language)
    assert "Wrong secret" in reader.get(LIST).content.decode()
    page = reader.get(f"{LIST}{incident.pk}/change/").content.decode()
    assert "Enter it again." in page
    assert f"{incident.pk}/resolve/" not in page
    assert log_in("view_logentry").get(LIST).status_code == 403


def test_resolving_asks_first_acts_once_and_is_in_the_log(incident: Incident, log_in: Callable[..., Client]) -> None:
    client = log_in("view_incident", "change_incident")
    url = f"{LIST}{incident.pk}/resolve/"
    client.get(url)
    assert Incident.objects.get().resolved_at is None
    client.post(url)
    assert Incident.objects.get().resolved_at is not None
    assert "was resolved" in LogEntry.objects.get().change_message
    assert "resolved already" in client.post(url, follow=True).content.decode()
    assert LogEntry.objects.count() == 1


def test_resolving_needs_its_right(incident: Incident, log_in: Callable[..., Client]) -> None:
    assert log_in("view_incident").post(f"{LIST}{incident.pk}/resolve/").status_code == 403
    assert Incident.objects.get().resolved_at is None


def test_an_old_resolved_row_does_not_close_the_new_trouble(incident: Incident, log_in: Callable[..., Client]) -> None:
    client = log_in("view_incident", "change_incident")
    client.post(f"{LIST}{incident.pk}/resolve/")
    again = raise_incident(incident.key, title="Wrong secret")
    client.post(f"{LIST}{incident.pk}/resolve/")
    again.refresh_from_db()
    assert again.resolved_at is None


def test_open_ones_come_first_and_can_be_filtered(incident: Incident, log_in: Callable[..., Client]) -> None:
    client = log_in("view_incident", "change_incident")
    other = raise_incident("other", title="Disk full")
    client.post(f"{LIST}{other.pk}/resolve/")

    def listed(**query: str) -> list[str]:
        return [row.title for row in client.get(LIST, query).context["cl"].result_list]

    assert listed() == ["Wrong secret", "Disk full"]
    assert listed(state="open") == ["Wrong secret"]
    assert listed(state="resolved") == ["Disk full"]


def test_nobody_edits_an_incident(incident: Incident, log_in: Callable[..., Client]) -> None:
    client = log_in(superuser=True)
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{incident.pk}/change/", {"title": "All fine"}).status_code == 403
    assert client.post(f"{LIST}{incident.pk}/delete/", {"post": "yes"}).status_code == 403
