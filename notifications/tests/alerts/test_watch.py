"""What is looked at every minute, by whom, and what comes of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from config import heartbeat, wakeup
from config.durable import Status
from config.testing.processes import Stack, wait_until
from notifications import alert_rules, alert_watch
from notifications.alert_rules import Finding, register_rule
from notifications.incidents import raise_incident, resolve_incident
from notifications.models import AlertAddress, AlertRule, AlertRuleKind, Incident, Notification
from wecom.errors import WeComError
from wecom.models import CallbackEvent, WeComConfig
from wecom.redis import redis
from wecom.tests.peers import Peer
from wecom.tokens import TokenStore

from .conftest import Robot, open_keys

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _everybody_is_alive() -> None:
    for part in ("beat", "worker"):
        be_alive(part)


def be_alive(part: str) -> None:
    heartbeat.redis().set(f"quotebridge:heartbeat:{part}", 1)


def be_silent(part: str, minutes: float) -> None:
    heartbeat.redis().delete(f"quotebridge:heartbeat:{part}")
    since = timezone.now() - timedelta(minutes=minutes)
    heartbeat.redis().set(f"quotebridge:silent:{part}", since.isoformat())


@pytest.fixture
def config() -> WeComConfig:
    row: WeComConfig = WeComConfig.objects.create(
        slug="default", name="Quotes", corp_id="ww1", agent_id=1, secret="wrong-secret-1"
    )
    return row


@pytest.mark.parametrize(("part", "kind"), [("beat", AlertRuleKind.BEAT), ("worker", AlertRuleKind.WORKER)])
class TestSilence:
    def test_a_silent_part_is_an_incident_from_the_threshold_on(self, part: str, kind: str) -> None:
        be_silent(part, 2)
        alert_watch.look()
        assert open_keys() == set()
        be_silent(part, 4)
        alert_watch.look()
        assert open_keys() == {f"{part}:silent"}
        assert "4" in Incident.objects.get().detail
        be_alive(part)
        alert_watch.look()
        assert open_keys() == set()
        assert not heartbeat.redis().exists(f"quotebridge:silent:{part}")

    def test_who_first_finds_it_silent_notes_the_time(self, part: str, kind: str) -> None:
        alert_rules.create_rules()
        AlertRule.objects.filter(kind=kind).update(threshold=0)
        heartbeat.redis().delete(f"quotebridge:heartbeat:{part}")
        alert_watch.look()
        noted = heartbeat.redis().get(f"quotebridge:silent:{part}")
        alert_watch.look()
        assert noted
        assert heartbeat.redis().get(f"quotebridge:silent:{part}") == noted
        assert open_keys() == {f"{part}:silent"}

    def test_without_redis_nobody_knows_and_nothing_changes(self, part: str, kind: str, settings: Any) -> None:
        be_silent(part, 9)
        alert_watch.look()
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        alert_watch.look()
        assert open_keys() == {f"{part}:silent"}


class TestBreaker:
    @pytest.fixture
    def peer(self, settings: Any) -> Iterator[Peer]:
        server = Peer()
        settings.WECOM_API_BASE_URL = server.url
        yield server
        server.close()

    def test_a_refused_secret_is_one_incident_until_there_is_a_token(self, peer: Peer, config: WeComConfig) -> None:
        peer.answer("gettoken", {"errcode": 40001, "errmsg": "invalid credential"})
        alert_watch.look()
        assert open_keys() == set()  # nobody has asked yet
        with pytest.raises(WeComError):
            TokenStore(config).get()
        alert_watch.look()
        incident = Incident.objects.get()
        assert incident.key == "breaker:default"
        assert incident.remedy
        for key in redis().scan_iter("*:breaker"):  # closed again after minutes, and nobody has asked since
            redis().delete(key)
        alert_watch.look()
        assert open_keys() == {"breaker:default"}
        peer.answer("gettoken", {"errcode": 0, "errmsg": "ok", "access_token": "t", "expires_in": 7200})
        TokenStore(config).get()
        alert_watch.look()
        assert open_keys() == set()
        assert len(peer.calls("gettoken")) == 2  # looking asks nobody

    def test_an_outage_that_passes_is_none(self, peer: Peer, config: WeComConfig) -> None:
        peer.answer("gettoken", {"errcode": -1, "errmsg": "system busy"})
        with pytest.raises(WeComError):
            TokenStore(config).get()
        alert_watch.look()
        assert open_keys() == set()


class TestParked:
    def test_events_that_wait_too_long_are_one_incident(self, config: WeComConfig) -> None:
        def park(number: int, hours: int) -> CallbackEvent:
            row: CallbackEvent = CallbackEvent.objects.create(
                key=f"e:{number}",
                config=config,
                event="sys_approval_change",
                payload="<xml/>",
                status=Status.FAILED,
                parked_at=timezone.now() - timedelta(hours=hours),
            )
            return row

        park(1, 23)
        alert_watch.look()
        assert open_keys() == set()
        park(2, 25)
        park(3, 30)
        alert_watch.look()
        incident = Incident.objects.get()
        assert "2" in incident.detail
        resolve_incident(incident.key)
        alert_watch.look()
        assert open_keys() == set()  # a person has seen these
        CallbackEvent.objects.filter(key="e:1").update(parked_at=timezone.now() - timedelta(hours=24))
        alert_watch.look()
        assert open_keys() == {incident.key}
        CallbackEvent.objects.update(parked_at=None)
        alert_watch.look()
        assert open_keys() == set()


class TestRules:
    @pytest.fixture
    def found(self, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
        """What a rule of this test finds."""
        findings: list[Finding] = []
        monkeypatch.setattr(alert_rules, "_rules", {})
        register_rule("parked", lambda _threshold: list(findings), prefix="parked:", default=1, unit="times")
        return findings

    def test_a_finding_lasts_without_being_counted(self, found: list[Finding]) -> None:
        found.append(Finding("parked:a", "A", "one"))
        alert_watch.look()
        found[:] = [Finding("parked:a", "A", "two")]
        alert_watch.look()
        incident = Incident.objects.get()
        assert (incident.times, incident.detail) == (1, "two")

    def test_a_rule_that_is_switched_off_ends_its_incidents(self, found: list[Finding]) -> None:
        alert_rules.create_rules()
        found.append(Finding("parked:a", "A"))
        alert_watch.look()
        AlertRule.objects.update(enabled=False)
        alert_watch.look()
        assert open_keys() == set()

    def test_a_rule_that_fails_keeps_its_incidents_and_stops_no_other(self, found: list[Finding]) -> None:
        def broken(_threshold: int) -> list[Finding]:
            raise ZeroDivisionError

        found.append(Finding("parked:a", "A"))
        alert_watch.look()
        register_rule("parked", broken, prefix="parked:", default=1, unit="times")
        register_rule("brake", lambda _threshold: [Finding("b:b", "B")], prefix="b:", default=1, unit="times")
        alert_watch.look()
        assert open_keys() == {"parked:a", "b:b"}

    def test_incidents_of_others_are_left_alone(self, found: list[Finding]) -> None:
        Incident.objects.create(key="else", title="E")
        alert_watch.look()
        assert open_keys() == {"else"}

    def test_a_state_that_lasts_comes_back_after_somebody_closed_it(self, found: list[Finding]) -> None:
        found.append(Finding("parked:a", "A"))
        alert_watch.look()
        resolve_incident("parked:a")
        alert_watch.look()
        assert open_keys() == {"parked:a"}


class TestWhoLooks:
    def test_a_minder_is_needed_once_a_minute_while_the_part_is_silent(self) -> None:
        minder = alert_watch.Minder("beat")
        be_silent("beat", 1)
        assert not minder.is_needed()  # it has just begun
        minder._next = 0.0
        assert minder.is_needed()
        assert not minder.is_needed()
        minder._next = 0.0
        be_alive("beat")
        assert not minder.is_needed()

    def test_a_worker_starts_the_task_while_beat_is_silent(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        monkeypatch.setattr(alert_watch._beat, "_next", 0.0)
        be_silent("beat", 1)
        alert_watch.stand_in_for_beat()

        def queued() -> bool:
            with Redis.from_url(settings.REDIS_URL) as client:
                return any(
                    json.loads(text)["headers"]["task"] == alert_watch.TASK for text in client.lrange("celery", 0, -1)
                )

        wait_until(queued)

    @pytest.mark.django_db(transaction=True)
    def test_beat_looks_and_hands_over_while_no_worker_lives(
        self, robot: Robot, address: AlertAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(alert_watch, "EVERY", 0.05)
        be_silent("worker", 5)
        stop = threading.Event()
        thread = threading.Thread(target=alert_watch.stand_in_for_workers, args=(stop,))
        thread.start()
        try:
            wait_until(lambda: robot.texts)
        finally:
            stop.set()
            thread.join()
        assert open_keys() == {"worker:silent"}
        assert len(robot.texts) == 1


@pytest.mark.django_db(transaction=True)
def test_check_alerts_notices_that_both_are_gone_and_tells_it_alone(
    stack: Stack, robot: Robot, address: AlertAddress
) -> None:
    be_silent("worker", 5)
    be_silent("beat", 5)
    command = stack.manage("check_alerts")
    assert command.popen.wait(60) == 0, command.output
    assert len(robot.texts) == 2
    assert "2" in command.output.splitlines()[-1]
    again = stack.manage("check_alerts")
    assert again.popen.wait(60) == 0, again.output
    assert len(robot.texts) == 2
    assert open_keys() == {"worker:silent", "beat:silent"}


@pytest.mark.django_db(transaction=True)
def test_check_alerts_fails_when_nobody_can_tell_who_lives(stack: Stack) -> None:
    command = stack.manage("check_alerts", REDIS_URL="redis://127.0.0.1:1/0")
    assert command.popen.wait(60) == 1
    assert "Redis" in command.output


def _all_told() -> bool:
    return not Notification.objects.exclude(status=Status.SUCCEEDED).exists()


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_tells_the_opening_and_the_end_once_each(
    stack: Stack, robot: Robot, address: AlertAddress
) -> None:
    worker = stack.worker()
    raise_incident("disk", title="Disk full")
    wait_until(lambda: robot.texts and _all_told(), message="the opening is told, and noted down as told")
    worker.kill()
    raise_incident("disk", title="Disk full")
    resolve_incident("disk")
    stack.worker()
    wakeup.wake("notifications.deliver")
    wait_until(lambda: len(robot.texts) >= 2 and _all_told(), message="the end is told")
    assert [("Disk full" in title) for title in robot.titles] == [True, True]
    assert robot.titles[0] != robot.titles[1]
