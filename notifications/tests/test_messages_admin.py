"""The queue of messages in the admin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext_lazy

from config.durable import Status
from notifications.events import Event, register_event
from notifications.incidents import raise_incident
from notifications.models import Notification
from notifications.tests.conftest import TOLD

pytestmark = pytest.mark.django_db
LIST = "/admin/notifications/notification/"
PHONE = "13812348888"
GONE = 987_654
"""Number of no row."""
Login = Callable[..., Client]


def message(key: str = "k", **values: Any) -> Notification:
    defaults = {
        "key": key,
        "event": TOLD,
        "channel": "email",
        "address": "li.mei@example.com",
        "recipient": "李梅",
        "role": "salesman",
        "language": "en",
        "body": "P-1 is shipped",
    }
    row: Notification = Notification.objects.create(**defaults | values)
    return row


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_who_what_when_and_what_it_is_about(event, log_in: Login, language: str) -> None:
    incident = raise_incident("x", title="Trouble")
    row = message(status=Status.DEAD, last_error="no such user", about=f"incident:{incident.pk}", subject="Shipped")
    reader = log_in("view_notification", language=language)
    shown = reader.get(LIST).content.decode()
    assert "李梅" in shown and "no such user" in shown
    assert f"/admin/notifications/incident/{incident.pk}/change/" in shown
    page = reader.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "Trouble" in shown and "Trouble" in page
    for fact in ("李梅", "li.mei@example.com", "P-1 is shipped", "Shipped", "no such user", "Told"):
        assert fact in page
    assert log_in("view_logentry").get(LIST).status_code == 403


def test_what_leads_nowhere_is_text(event, log_in: Login) -> None:
    reader = log_in("view_notification")
    for number, about in enumerate(("", "moon:1", "incident:x", "incident", "incident:²", f"incident:{GONE}")):
        row = message(str(number), about=about)
        assert f"incident/{GONE}/" not in reader.get(f"{LIST}{row.pk}/change/").content.decode()
    page = reader.get(LIST).content.decode()
    assert "moon:1" in page and f"incident:{GONE}" in page and f"incident/{GONE}/" not in page


@pytest.mark.parametrize(("language", "word"), [("en", "Presale"), ("zh-hans", "售前")])
def test_a_role_is_called_what_its_event_calls_it(event: Event, log_in: Login, language: str, word: str) -> None:
    register_event(replace(event, roles={"salesman": gettext_lazy("Presale")}))
    reader = log_in("view_notification", language=language)
    for row, told in ((message(), word), (message("other", role="owner"), "owner"), (message("none", role=""), "–")):
        assert told in reader.get(f"{LIST}{row.pk}/change/").content.decode()


def listed(client: Client, **query: str) -> set[str]:
    return {row.key for row in client.get(LIST, query).context["cl"].result_list}


def test_it_is_filtered_and_searched(event, log_in: Login) -> None:
    message("sent", status=Status.SUCCEEDED, finished_at=timezone.now())
    message("waits", channel="wechat", address="li.mei", recipient="Zhou")
    message("failed", status=Status.FAILED, event="other")
    message("dead", status=Status.DEAD)
    client = log_in("view_notification")
    assert listed(client, delivery="waiting") == {"waits", "failed"}
    assert listed(client, delivery="sent") == {"sent"}
    assert listed(client, delivery="given_up") == {"dead"}
    assert listed(client, status__exact="failed") == {"failed"}
    assert listed(client, channel__exact="wechat") == {"waits"}
    assert listed(client, event=TOLD) == {"sent", "waits", "dead"}
    assert listed(client, event="\0") == {"sent", "waits", "failed", "dead"}, "no event, no filter"
    assert listed(client, q="Zhou") == {"waits"}


def test_a_phone_number_needs_the_right_to_see_it_also_when_searching(event, log_in: Login) -> None:
    row = message(channel="sms", address=PHONE)
    some, all_of_it = log_in("view_notification"), log_in("view_notification", "view_phone")
    hidden = some.get(f"{LIST}{row.pk}/change/").content.decode()
    assert PHONE not in hidden and "138****8888" in hidden
    assert PHONE in all_of_it.get(f"{LIST}{row.pk}/change/").content.decode()
    assert listed(some, q=PHONE) == set()
    assert listed(all_of_it, q=PHONE) == {"k"}
    assert some.get(LIST, {"address__startswith": "138"}).status_code == 400, "found out digit by digit"
    assert listed(all_of_it, address__startswith="138") == {"k"}


def test_retry_is_one_click_for_who_may(event, log_in: Login) -> None:
    row = message(status=Status.DEAD, attempts=3, last_error="x")
    url = f"{LIST}{row.pk}/retry/"
    assert log_in("view_notification").post(url).status_code == 403
    client = log_in("view_notification", "change_notification")
    client.get(url)
    row.refresh_from_db()
    assert row.status == Status.DEAD
    client.post(url)
    row.refresh_from_db()
    assert (row.status, row.attempts, row.last_error) == (Status.PENDING, 0, "")


def test_nobody_writes_or_edits_a_message_by_hand(event, log_in: Login) -> None:
    row = message()
    client = log_in(superuser=True)
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{row.pk}/change/", {"body": "forged"}).status_code == 403
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_list_costs_the_same_however_long_it_is(event, log_in: Login, django_assert_max_num_queries) -> None:
    for number in range(60):
        message(str(number), about="incident:1")
    client = log_in("view_notification")
    client.get(LIST)
    with django_assert_max_num_queries(9):
        client.get(LIST)
