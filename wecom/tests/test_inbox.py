"""From a stored event to an announcement: outcomes, parking, giving up, processing again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from redis import Redis

from config import wakeup
from config.durable import FIRST_RETRY, TemporaryFailure
from wecom import inbox
from wecom.callback import OpenedCallback
from wecom.inbox import Park
from wecom.models import CallbackEvent, WeComConfig
from wecom.signals import approval_changed, event_given_up
from wecom.snapshots import RemoteApproval
from wecom.tests.inbound import make_config, only_listener
from wecom.tests.vectors import approval_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def config() -> WeComConfig:
    return make_config()


def opened(key: str = "sys_approval_change:1", *, event: str = "sys_approval_change", **fields: Any) -> OpenedCallback:
    values: dict[str, Any] = {
        "change_type": "",
        "subject": "202601010001",
        "from_user": "sys",
        "created": datetime.fromtimestamp(1767225600, UTC),
        "payload": approval_event(),
        "credential": "primary",
    }
    return OpenedCallback(event_id=key, event=event, **{**values, **fields})


def stored(config: WeComConfig, key: str = "sys_approval_change:1", **fields: Any) -> CallbackEvent:
    assert inbox.store(opened(key, **fields), config_id=config.pk)
    return CallbackEvent.objects.get(key=key)


def make_due(row: CallbackEvent, **changes: Any) -> None:
    CallbackEvent.objects.filter(pk=row.pk).update(next_attempt_at=timezone.now(), **changes)


class Listener:
    """Remembers what was announced and answers as told."""

    def __init__(self, answer: str | Exception = "applied") -> None:
        self.answer = answer
        self.heard: list[tuple[RemoteApproval, CallbackEvent]] = []

    def __call__(self, *, snapshot: RemoteApproval, event: CallbackEvent, **_: Any) -> str:
        self.heard.append((snapshot, event))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@contextmanager
def listening(answer: str | Exception = "applied") -> Iterator[Listener]:
    listener = Listener(answer)
    with only_listener(approval_changed, listener):
        yield listener


def test_storing_says_whether_the_event_is_new(config: WeComConfig) -> None:
    assert inbox.store(opened(), config_id=config.pk) is True
    assert inbox.store(opened(), config_id=config.pk) is False
    assert CallbackEvent.objects.count() == 1


def test_an_approval_event_is_announced_once_and_its_outcome_kept(config: WeComConfig) -> None:
    row = stored(config)
    with listening("applied") as listener:
        assert inbox.process_due() == 1
        assert inbox.process_due() == 0
    ((snapshot, event),) = listener.heard
    assert (snapshot.kind, snapshot.sp_no, snapshot.status) == ("oa", "202601010001", "approved")
    assert snapshot.changed_at == row.event_time
    assert event == row
    row.refresh_from_db()
    assert (row.status, row.outcome, row.parked_at) == ("succeeded", "applied", None)


def test_an_engine_event_is_announced_by_our_number(config: WeComConfig) -> None:
    payload = (
        "<xml><Event>open_approval_change</Event><ApprovalInfo><ThirdNo>CIS-20260101-0001</ThirdNo>"
        "<OpenSpStatus>3</OpenSpStatus></ApprovalInfo></xml>"
    )
    stored(config, event="open_approval_change", subject="CIS-20260101-0001", payload=payload)
    with listening() as listener:
        inbox.process_due()
    snapshot = listener.heard[0][0]
    assert (snapshot.kind, snapshot.third_no, snapshot.status) == ("engine", "CIS-20260101-0001", "rejected")


def test_an_event_without_time_takes_that_of_its_arrival(config: WeComConfig) -> None:
    row = stored(config, created=None)
    with listening() as listener:
        inbox.process_due()
    assert listener.heard[0][0].changed_at == row.created_at


def test_an_event_nobody_reads_is_ignored(config: WeComConfig) -> None:
    row = stored(config, event="enter_agent", payload="<xml><Event>enter_agent</Event></xml>")
    with listening() as listener:
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome, listener.heard) == ("succeeded", "ignored", [])


def test_an_approval_nobody_listens_for_is_ignored(config: WeComConfig) -> None:
    row = stored(config)
    with only_listener(approval_changed, None):
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("succeeded", "ignored")


@pytest.mark.parametrize(
    "payload",
    [
        "<xml><Event>sys_approval_change</Event></xml>",
        "<xml><ApprovalInfo><SpStatus>2</SpStatus></ApprovalInfo></xml>",
        "no xml at all",
    ],
)
def test_an_unreadable_event_is_dead_with_a_sentence(config: WeComConfig, payload: str) -> None:
    row = stored(config, payload=payload)
    with listening() as listener:
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, listener.heard) == ("dead", [])
    assert row.last_error


def test_a_failing_listener_puts_the_event_back_and_undoes_its_work(config: WeComConfig) -> None:
    row = stored(config)

    def half_done(**_: Any) -> None:
        config.__class__.objects.update(name="half done")
        raise TemporaryFailure("later")

    with only_listener(approval_changed, half_done):
        inbox.process_due()
    row.refresh_from_db()
    config.refresh_from_db()
    assert (row.status, row.last_error, config.name) == ("failed", "later", "default")
    make_due(row)
    with listening():
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("succeeded", "applied")


def test_one_failing_event_does_not_stop_the_others(config: WeComConfig) -> None:
    for number in range(5):
        stored(config, f"e:{number}", subject=str(number), payload=approval_event(str(number)))

    def fails_on_2(*, snapshot: RemoteApproval, **_: Any) -> str:
        if snapshot.sp_no == "2":
            raise RuntimeError("bug")
        return "applied"

    with only_listener(approval_changed, fails_on_2):
        inbox.process_due()
    statuses = dict(CallbackEvent.objects.values_list("subject", "status"))
    assert statuses == {"0": "succeeded", "1": "succeeded", "2": "failed", "3": "succeeded", "4": "succeeded"}


def test_the_events_of_an_approval_are_announced_in_the_order_they_came(config: WeComConfig) -> None:
    for number in range(30):
        stored(
            config, f"e:{number}", subject=str(number % 3), payload=approval_event(str(number % 3), change=number + 1)
        )
    with listening() as listener:
        inbox.process_due()
    for subject in "012":
        changes = [snapshot.change_code or 0 for snapshot, event in listener.heard if event.subject == subject]
        assert changes == sorted(changes)
        assert len(changes) == 10


def test_an_unknown_approval_is_parked_and_tried_again_soon(config: WeComConfig) -> None:
    row = stored(config)
    with listening(Park("no such approval")):
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome, row.last_error) == ("failed", "parked", "no such approval")
    assert row.parked_at is not None
    wait = row.next_attempt_at - timezone.now()
    assert timedelta(0) < wait <= timedelta(seconds=FIRST_RETRY)


@pytest.mark.parametrize(
    ("parked_for", "wait"),
    [
        (timedelta(minutes=10), timedelta(minutes=10)),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta(days=2), timedelta(hours=6)),
    ],
)
def test_the_longer_an_event_is_parked_the_rarer_it_is_tried(
    config: WeComConfig, parked_for: timedelta, wait: timedelta
) -> None:
    row = stored(config)
    since = timezone.now() - parked_for
    make_due(row, parked_at=since, status="failed", attempts=3)
    with listening(Park("unknown")):
        inbox.process_due()
    row.refresh_from_db()
    assert row.parked_at == since
    assert abs(row.next_attempt_at - timezone.now() - wait) < timedelta(seconds=10)


def test_a_parked_event_that_is_placed_is_parked_no_more(config: WeComConfig) -> None:
    row = stored(config)
    with listening(Park("unknown")):
        inbox.process_due()
    make_due(row)
    with listening("applied"):
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome, row.parked_at, row.last_error) == ("succeeded", "applied", None, "")


def test_after_seven_days_an_event_is_given_up_and_announced(
    config: WeComConfig, django_capture_on_commit_callbacks: Any
) -> None:
    row = stored(config)
    make_due(row, parked_at=timezone.now() - inbox.PARKED_FOR, status="failed", attempts=40)
    given_up: list[CallbackEvent] = []
    with (
        only_listener(event_given_up, lambda event, **_: given_up.append(event)),
        listening(Park("unknown")),
        django_capture_on_commit_callbacks(execute=True),
    ):
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("dead", "given_up")
    assert "unknown" in row.last_error
    assert given_up == [row]


def test_a_dead_event_that_was_not_parked_is_not_announced_as_given_up(
    config: WeComConfig, django_capture_on_commit_callbacks: Any
) -> None:
    stored(config, payload="no xml")
    given_up: list[CallbackEvent] = []
    with (
        only_listener(event_given_up, lambda event, **_: given_up.append(event)),
        django_capture_on_commit_callbacks(execute=True),
    ):
        inbox.process_due()
    assert given_up == []


def test_releasing_makes_the_parked_events_of_these_approvals_due(
    config: WeComConfig, django_capture_on_commit_callbacks: Any
) -> None:
    for subject in ("1", "2", "3"):
        stored(config, f"e:{subject}", subject=subject, payload=approval_event(subject))
    with listening(Park("unknown")):
        inbox.process_due()
    with Redis.from_url(settings.REDIS_URL) as redis:
        wakeup.flush()
        redis.flushdb()
        with django_capture_on_commit_callbacks(execute=True):
            assert inbox.release_parked(["1", "3", "", "unknown"]) == 2
        assert wakeup.flush()
        assert redis.llen("celery") == 1
    with listening("applied") as listener:
        inbox.process_due()
    assert sorted(snapshot.sp_no for snapshot, _ in listener.heard) == ["1", "3"]
    assert CallbackEvent.objects.get(subject="2").outcome == "parked"


def test_releasing_leaves_finished_events_alone(config: WeComConfig) -> None:
    row = stored(config)
    with listening():
        inbox.process_due()
    assert inbox.release_parked([row.subject]) == 0
    row.refresh_from_db()
    assert row.status == "succeeded"


def test_a_temporary_failure_is_not_mistaken_for_parking(config: WeComConfig) -> None:
    row = stored(config)
    with listening(TemporaryFailure("busy")):
        inbox.process_due()
    row.refresh_from_db()
    assert (row.outcome, row.parked_at) == ("", None)
    assert inbox.release_parked([row.subject]) == 0


def test_any_stored_event_can_be_processed_again(config: WeComConfig) -> None:
    done, dead = stored(config, "e:1"), stored(config, "e:2", payload="no xml")
    with listening() as listener:
        inbox.process_due()
        listener.heard.clear()
        assert inbox.replay(CallbackEvent.objects.all()) == 2
        inbox.process_due()
    assert {event for _, event in listener.heard} == {done}
    for row, status in ((done, "succeeded"), (dead, "dead")):
        row.refresh_from_db()
        assert (row.status, row.attempts) == (status, 1)


def test_processing_again_leaves_alone_what_a_worker_is_busy_with(config: WeComConfig) -> None:
    stored(config)
    (claimed,) = CallbackEvent.objects.claim_due(1)
    assert inbox.replay(CallbackEvent.objects.all()) == 0
    claimed.finish()


def test_an_event_given_up_gets_another_seven_days_when_processed_again(config: WeComConfig) -> None:
    row = stored(config)
    make_due(row, parked_at=timezone.now() - inbox.PARKED_FOR, status="failed")
    with listening(Park("unknown")):
        inbox.process_due()
        inbox.replay(CallbackEvent.objects.all())
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("failed", "parked")


def test_a_burst_of_events_wakes_a_worker_a_few_times_only() -> None:
    started = time.monotonic()
    for _ in range(5_000):
        inbox.wake_worker()
    assert wakeup.flush()
    windows = (time.monotonic() - started) / wakeup.MERGE_WINDOW
    with Redis.from_url(settings.REDIS_URL) as redis:
        assert 1 <= int(redis.llen("celery")) <= windows + 2
