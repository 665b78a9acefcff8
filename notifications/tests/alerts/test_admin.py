"""Alert addresses and rules in the admin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from notifications import alert_rules
from notifications.incidents import raise_incident
from notifications.models import AlertAddress, AlertRule, AlertRuleKind

from .conftest import Robot

pytestmark = pytest.mark.django_db
ADDRESSES = "/admin/notifications/alertaddress/"
RULES = "/admin/notifications/alertrule/"
LogIn = Callable[..., Client]
RIGHTS = [f"{verb}_alertaddress" for verb in ("add", "change", "view")]


class TestAddresses:
    def test_an_address_goes_in_and_never_comes_out(self, log_in: LogIn, robot: Robot) -> None:
        client = log_in(*RIGHTS)
        client.post(f"{ADDRESSES}add/", {"name": "Operators", "url": robot.url, "enabled": "on"})
        address = AlertAddress.objects.get()
        assert address.url.reveal() == robot.url
        for page in (ADDRESSES, f"{ADDRESSES}{address.pk}/change/", f"{ADDRESSES}{address.pk}/history/"):
            assert "693a91f6" not in client.get(page).content.decode()
        assert "127.0.0.1" in client.get(ADDRESSES).content.decode()
        assert not any("693a91f6" in entry.change_message for entry in LogEntry.objects.all())

    def test_left_empty_the_stored_one_stays(self, log_in: LogIn, address: AlertAddress, robot: Robot) -> None:
        client = log_in(*RIGHTS)
        client.post(f"{ADDRESSES}{address.pk}/change/", {"name": "Night shift", "url": ""})
        address.refresh_from_db()
        assert (address.name, address.enabled, address.url.reveal()) == ("Night shift", False, robot.url)

    @pytest.mark.parametrize("url", ["", "nonsense", "wecombot://key-of-a-robot", "nosuch://host/x"])
    def test_one_that_nobody_sends_to_is_refused(self, log_in: LogIn, url: str) -> None:
        page = log_in(*RIGHTS).post(f"{ADDRESSES}add/", {"name": "Operators", "url": url})
        assert page.status_code == 200
        assert page.context["adminform"].form.errors["url"]
        assert "key-of-a-robot" not in page.content.decode()
        assert not AlertAddress.objects.exists()

    def test_a_sealed_one_that_cannot_be_opened_does_not_break_the_list(
        self, log_in: LogIn, address: AlertAddress, settings: object
    ) -> None:
        settings.FIELD_ENCRYPTION_KEYS = ["b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMzI="]  # type: ignore[attr-defined]
        assert "cannot be opened" in log_in(*RIGHTS).get(ADDRESSES).content.decode()


class TestSendATest:
    def test_it_is_sent_at_once_and_the_person_is_told(
        self, log_in: LogIn, address: AlertAddress, robot: Robot
    ) -> None:
        client = log_in(*RIGHTS)
        User.objects.update(first_name="林峰")
        url = f"{ADDRESSES}{address.pk}/send-test/"
        client.get(url)
        assert robot.texts == []
        page = client.post(url, follow=True)
        assert "The test was sent" in page.content.decode()
        [text] = robot.texts
        assert "林峰" in text

    def test_a_refusal_is_shown_with_its_remedy(self, log_in: LogIn, address: AlertAddress, robot: Robot) -> None:
        robot.answer({"errcode": 93000, "errmsg": "invalid webhook url"})
        page = log_in(*RIGHTS).post(f"{ADDRESSES}{address.pk}/send-test/", follow=True)
        assert "93000" in page.content.decode()
        assert not LogEntry.objects.exists()

    def test_it_needs_the_right_to_change(self, log_in: LogIn, address: AlertAddress, robot: Robot) -> None:
        assert log_in("view_alertaddress").post(f"{ADDRESSES}{address.pk}/send-test/").status_code == 403
        assert robot.texts == []


class TestRules:
    def test_threshold_and_switch_are_edited_in_the_list(self, log_in: LogIn) -> None:
        alert_rules.create_rules()
        client = log_in("view_alertrule", "change_alertrule")
        page = client.get(RULES)
        assert "failed runs in a row" in page.content.decode()
        form = page.context["cl"].formset
        data = {"form-TOTAL_FORMS": form.total_form_count(), "form-INITIAL_FORMS": form.initial_form_count()}
        for number, row in enumerate(form.forms):
            data |= {f"form-{number}-id": row.instance.pk, f"form-{number}-threshold": 7}
        client.post(RULES, {**data, "_save": "Save"})
        assert set(AlertRule.objects.values_list("threshold", "enabled")) == {(7, False)}

    def test_nobody_adds_or_removes_one(self, log_in: LogIn) -> None:
        alert_rules.create_rules()
        row = AlertRule.objects.get(kind=AlertRuleKind.BRAKE)
        client = log_in(superuser=True)
        assert client.get(f"{RULES}add/").status_code == 403
        assert client.post(f"{RULES}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert client.get(f"{RULES}{row.pk}/change/").status_code == 200


def test_an_incident_shows_who_was_told(log_in: LogIn, address: AlertAddress) -> None:
    incident = raise_incident("disk", title="Disk full")
    client = log_in("view_incident", "view_notification")
    page = client.get(f"/admin/notifications/incident/{incident.pk}/change/").content.decode()
    assert "1 message" in page
    told = client.get("/admin/notifications/notification/", {"about__in": f"incident:{incident.pk}"})
    [row] = told.context["cl"].result_list
    assert row.recipient == "Operators"
    assert "Incident opened" in told.content.decode()
