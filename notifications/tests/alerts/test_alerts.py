"""Operators are told once when an incident opens and once when it is over: never more, and nobody who need not know."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections, transaction
from django.utils import timezone

from config.durable import Status
from notifications import alert_rules, delivery
from notifications.alerts import MOST_PER_MINUTE
from notifications.incidents import raise_incident, resolve_incident
from notifications.models import AlertAddress, AlertRule, AlertRuleKind, Incident, Notification
from wecom.tests.peers import Raw

from .conftest import Robot

pytestmark = pytest.mark.django_db


def opened(key: str = "disk", title: str = "Disk full") -> Incident:
    return raise_incident(key, title=title, detail="95 %", remedy="Free some space.")


class TestOnce:
    def test_an_opening_is_told_and_its_end(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        incident = opened()
        assert due() == 1
        [text] = robot.texts
        assert text.startswith("Quotebridge: Disk full\n95 %\nFree some space.")
        assert f"/admin/notifications/incident/{incident.pk}/change/" in text
        resolve_incident("disk")
        assert due() == 1
        assert "Disk full" in robot.titles[1]
        assert robot.titles[1] != robot.titles[0]
        incident.refresh_from_db()
        assert incident.alerted_at is not None

    def test_counting_it_again_tells_nobody(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        for _time in range(5):
            opened()
        due()
        assert len(robot.texts) == 1
        assert Incident.objects.get().times == 5

    def test_resolving_it_twice_tells_once(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        opened()
        due()
        assert [resolve_incident("disk"), resolve_incident("disk")] == [True, False]
        due()
        assert len(robot.texts) == 2

    def test_what_comes_back_is_told_again(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        for _time in range(2):
            opened()
            due()
            resolve_incident("disk")
            due()
        assert len(robot.texts) == 4

    def test_an_incident_that_is_undone_is_not_told(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        with transaction.atomic():
            opened()
            transaction.set_rollback(True)
        assert due() == 0

    def test_the_ordinary_delivery_sends_it_too(self, robot: Robot, address: AlertAddress) -> None:
        opened()
        delivery.deliver()
        assert len(robot.texts) == 1
        assert Notification.objects.get().status == Status.SUCCEEDED


class TestWhom:
    def test_nobody_is_told_later_of_what_opened_before(self, robot: Robot, due: Any) -> None:
        opened()
        AlertAddress.objects.create(name="Late", url=robot.url)
        opened()
        resolve_incident("disk")
        assert due() == 0
        assert robot.texts == []

    def test_every_enabled_address_is_told(self, robot: Robot, address: AlertAddress, due: Any, settings: Any) -> None:
        AlertAddress.objects.create(name="Off", url=robot.url, enabled=False)
        settings.ALERT_URLS = [robot.url.replace("693a91f6", "000a91f6")]
        opened()
        assert due() == 2
        keys = [request.query["key"][:8] for request in robot.peer.received]
        assert sorted(keys) == ["000a91f6", "693a91f6"]

    def test_a_new_address_hears_no_end_of_what_it_was_never_told(
        self, robot: Robot, address: AlertAddress, due: Any
    ) -> None:
        opened()
        due()
        AlertAddress.objects.create(name="Late", url=robot.url)
        resolve_incident("disk")
        assert due() == 1

    def test_rows_never_hold_the_address(self, robot: Robot, address: AlertAddress, settings: Any) -> None:
        settings.ALERT_URLS = [robot.url]
        opened()
        for row in Notification.objects.values():
            assert "693a91f6" not in str(row)

    def test_an_address_that_is_gone_ends_its_row_with_a_reason(self, address: AlertAddress, due: Any) -> None:
        opened()
        address.delete()
        due()
        row = Notification.objects.get()
        assert row.status == Status.DEAD
        assert "已被移除" in row.last_error

    def test_an_address_that_cannot_be_opened_says_so(self, address: AlertAddress, due: Any, settings: Any) -> None:
        opened()
        settings.FIELD_ENCRYPTION_KEYS = ["b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMzI="]
        due()
        assert "FIELD_ENCRYPTION_KEYS" in Notification.objects.order_by("pk")[0].last_error


class TestUnreached:
    def test_a_robot_that_is_away_gets_the_message_when_it_is_back(
        self, robot: Robot, address: AlertAddress, due: Any
    ) -> None:
        robot.answer(Raw(502, b""), {"errcode": 0, "errmsg": "ok"})
        opened()
        due()
        assert Notification.objects.get().status == Status.FAILED
        due()
        assert Notification.objects.get().status == Status.SUCCEEDED

    def test_what_is_over_before_it_could_be_told_is_one_message(
        self, robot: Robot, address: AlertAddress, due: Any
    ) -> None:
        robot.answer(Raw(502, b""), {"errcode": 0, "errmsg": "ok"})
        opened()
        due()
        resolve_incident("disk")
        due()
        assert len(robot.texts) == 2  # the one that failed, and the one that says it all
        assert "Disk full" in robot.titles[1]
        assert robot.titles[1] != robot.titles[0]

    def test_a_dead_robot_is_an_incident_that_does_not_breed(
        self, robot: Robot, address: AlertAddress, due: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        robot.answer({"errcode": 93000, "errmsg": "invalid webhook url"})
        opened()
        for _time in range(6):
            with django_capture_on_commit_callbacks(execute=True):
                due()
        assert Incident.objects.count() == 2
        assert Notification.objects.count() == 2


class TestRate:
    def test_a_robot_takes_twenty_in_a_minute_and_the_rest_waits(
        self, robot: Robot, address: AlertAddress, due: Any
    ) -> None:
        for number in range(25):
            with time_machine.travel(timezone.now() - timedelta(hours=25 - number), tick=False):
                opened(f"disk-{number}")
        due()
        assert len(robot.texts) == 20
        waiting = Notification.objects.filter(status=Status.PENDING)
        assert waiting.count() == 5
        row = waiting[0]
        assert row.attempts == 0
        assert 0 < (row.next_attempt_at - timezone.now()).total_seconds() <= 61

    def test_a_robot_that_was_written_to_too_fast_is_left_alone(
        self, robot: Robot, address: AlertAddress, due: Any
    ) -> None:
        robot.answer({"errcode": 45009, "errmsg": "api freq out of limit"})
        opened("a")
        opened("b")
        due()
        assert len(robot.texts) == 1
        assert set(Notification.objects.values_list("status", "attempts")) == {(Status.PENDING, 0)}

    def test_without_redis_it_is_sent_all_the_same(
        self, robot: Robot, address: AlertAddress, due: Any, settings: Any
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        opened()
        due()
        assert len(robot.texts) == 1


class TestStorm:
    def test_more_than_a_few_in_a_minute_share_one_message(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        with time_machine.travel("2026-03-01T10:00:10Z", tick=False):
            for number in range(40):
                opened(f"disk-{number}", title=f"Disk {number} full")
        assert due() == MOST_PER_MINUTE + 1
        assert "35" in robot.titles[-1]
        assert "Disk 5 full" in robot.texts[-1]
        assert "25" in robot.texts[-1]  # … and 25 more
        assert Notification.objects.count() == MOST_PER_MINUTE + 1

    def test_the_common_message_leaves_when_the_minute_is_over(self, address: AlertAddress) -> None:
        with time_machine.travel("2026-03-01T10:00:10Z", tick=False):
            for number in range(MOST_PER_MINUTE + 1):
                opened(f"disk-{number}")
            common = Notification.objects.order_by("-pk")[0]
            assert common.next_attempt_at.isoformat() == "2026-03-01T10:01:00+00:00"

    def test_their_ends_share_one_message_too(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        with time_machine.travel("2026-03-01T10:00:10Z", tick=False):
            for number in range(20):
                opened(f"disk-{number}")
        due()
        told = len(robot.texts)
        with time_machine.travel("2026-03-01T11:00:10Z", tick=False):
            for number in range(20):
                resolve_incident(f"disk-{number}")
        with time_machine.travel("2026-03-01T11:02:00Z"):
            due()
        assert len(robot.texts) - told == MOST_PER_MINUTE + 1
        assert "15" in robot.titles[-1]

    def test_one_that_comes_after_the_message_has_left_is_told_in_the_next(
        self, robot: Robot, address: AlertAddress, due: Any
    ) -> None:
        with time_machine.travel("2026-03-01T10:00:10Z", tick=False):
            for number in range(MOST_PER_MINUTE + 1):
                opened(f"disk-{number}")
            due()
            opened("late", title="Late one")
            due()
        assert "Late one" in robot.texts[-1]
        assert len(robot.texts) == MOST_PER_MINUTE + 2


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_threads_that_raise_the_same_tell_once(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        together(lambda _number: opened(), 6)
        due()
        assert len(robot.texts) == 1
        assert Incident.objects.get().times == 6

    def test_threads_that_raise_a_storm_forget_none(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        together(lambda number: opened(f"disk-{number}", title=f"Disk {number} full"), 12)
        due()
        told = "\n".join(robot.texts)
        assert all(f"Disk {number} full" in told for number in range(12))
        assert Incident.objects.exclude(alert="").count() == 12


def together(act: Callable[[int], object], count: int) -> None:
    start = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            start.wait(10)
            act(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestCountedRules:
    """A synchronisation that fails is an incident at once, and operators hear of it when it has failed often enough."""

    def test_operators_are_told_when_the_threshold_is_reached(
        self, robot: Robot, address: AlertAddress, due: Any
    ) -> None:
        alert_rules.create_rules()
        for times, told in ((1, 0), (2, 0), (3, 1), (4, 1)):
            opened("sync-failed:default")
            due()
            assert (len(robot.texts), Incident.objects.get().times) == (told, times)
        resolve_incident("sync-failed:default")
        due()
        assert len(robot.texts) == 2

    def test_what_ends_below_the_threshold_was_never_told(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        opened("sync-failed:default")
        resolve_incident("sync-failed:default")
        assert due() == 0

    def test_the_threshold_is_the_operators(self, robot: Robot, address: AlertAddress, due: Any) -> None:
        alert_rules.create_rules()
        AlertRule.objects.filter(kind=AlertRuleKind.SYNC_FAILED).update(threshold=1)
        opened("sync-failed:default")
        due()
        assert len(robot.texts) == 1

    def test_a_rule_that_is_off_leaves_the_incident_and_tells_nobody(
        self, robot: Robot, address: AlertAddress, due: Any
    ) -> None:
        alert_rules.create_rules()
        AlertRule.objects.filter(kind=AlertRuleKind.BRAKE).update(enabled=False)
        opened("sync-brake:default")
        assert Incident.objects.count() == 1
        assert due() == 0


def test_the_rows_of_the_rules_are_made_once_and_never_overwritten() -> None:
    AlertRule.objects.all().delete()
    alert_rules.create_rules()
    assert set(AlertRule.objects.values_list("kind", flat=True)) == set(AlertRuleKind.values)
    AlertRule.objects.filter(kind=AlertRuleKind.PARKED).update(threshold=5, enabled=False)
    alert_rules.create_rules()
    row = AlertRule.objects.get(kind=AlertRuleKind.PARKED)
    assert (row.threshold, row.enabled) == (5, False)
