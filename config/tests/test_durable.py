"""The row queue: one owner per row, back-off, leases, death, order within a group.

``CallbackEvent`` (ordered by subject) stands for every queue; the code under test is ``config.durable`` alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from config import draining, durable
from config.durable import LeaseLost, NotYet, PermanentFailure, Status, TemporaryFailure
from config.testing.processes import wait_until
from wecom.models import CallbackEvent, WeComConfig

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def app() -> WeComConfig:
    return WeComConfig.objects.create(slug="default", name="app", corp_id="ww1", agent_id=1, secret="s")


@pytest.fixture
def add(app: WeComConfig) -> Callable[..., list[CallbackEvent]]:
    def make(count: int = 1, **values: Any) -> list[CallbackEvent]:
        start = CallbackEvent.objects.count()
        subject = values.pop("subject", "")
        rows = [
            CallbackEvent(
                key=f"k{n}",
                config=app,
                event="e",
                credential="primary",
                subject=subject(n) if callable(subject) else subject,
                **values,
            )
            for n in range(start, start + count)
        ]
        return CallbackEvent.objects.bulk_create(rows)

    return make


def in_parallel(work: Callable[[], object], count: int = 8) -> list[BaseException]:
    """Run ``work`` in ``count`` threads with connections of their own; returns what they raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def row() -> CallbackEvent:
    return CallbackEvent.objects.get()


# --- claiming ---------------------------------------------------------------------------------------------------------


def test_eight_parallel_workers_never_share_a_row(add: Callable[..., Any]) -> None:
    add(200, subject=lambda n: str(n % 23))
    claimed: list[int] = []

    def work() -> None:
        while rows := CallbackEvent.objects.claim_due(7):
            claimed.extend(r.pk for r in rows)
            for r in rows:
                r.finish()

    assert in_parallel(work) == []
    while rows := CallbackEvent.objects.claim_due(50):  # what a busy group left behind
        claimed.extend(r.pk for r in rows)
        for r in rows:
            r.finish()
    assert sorted(claimed) == sorted(CallbackEvent.objects.values_list("pk", flat=True))
    assert set(CallbackEvent.objects.values_list("attempts", flat=True)) == {1}


def test_parallel_workers_handle_a_group_in_the_order_it_came(add: Callable[..., Any]) -> None:
    add(240, subject=lambda n: f"s{n % 5}")
    seen: dict[str, list[int]] = {}
    guard = threading.Lock()

    def handle(event: CallbackEvent) -> None:
        with guard:
            seen.setdefault(event.subject, []).append(event.pk)

    def work() -> None:
        for _ in range(200):
            if not CallbackEvent.objects.exclude(status=Status.SUCCEEDED).exists():
                return
            draining.drain_in_transaction(CallbackEvent, handle, batch=6)

    assert in_parallel(work) == []
    assert sum(map(len, seen.values())) == 240
    for order in seen.values():
        assert order == sorted(order)


def test_rows_without_a_group_wait_for_nobody(add: Callable[..., Any]) -> None:
    add(2)
    (first,) = CallbackEvent.objects.claim_due(1)
    (second,) = CallbackEvent.objects.claim_due(5)
    assert first.pk != second.pk


def test_nothing_is_claimed_before_its_time(add: Callable[..., Any]) -> None:
    add(next_attempt_at=timezone.now() + timedelta(minutes=1))
    assert CallbackEvent.objects.claim_due(10) == []
    assert CallbackEvent.objects.claim_due(10, now=timezone.now() + timedelta(minutes=2))


# --- leases -----------------------------------------------------------------------------------------------------------


def test_the_row_of_a_dead_worker_is_claimed_again_within_a_minute(add: Callable[..., Any]) -> None:
    add()
    (abandoned,) = CallbackEvent.objects.claim_due(1)
    assert CallbackEvent.objects.claim_due(1) == []
    (again,) = CallbackEvent.objects.claim_due(1, now=timezone.now() + timedelta(seconds=30))
    assert again.attempts == 2
    with pytest.raises(LeaseLost):
        abandoned.finish()
    again.finish()
    assert row().status == Status.SUCCEEDED


def test_the_effect_of_a_lost_lease_rolls_back(add: Callable[..., Any]) -> None:
    add()
    (slow,) = CallbackEvent.objects.claim_due(1)
    CallbackEvent.objects.claim_due(1, now=timezone.now() + timedelta(seconds=30))

    @transaction.atomic
    def effect() -> None:
        WeComConfig.objects.update(name="changed by the slow worker")
        slow.finish()

    with pytest.raises(LeaseLost):
        effect()
    assert WeComConfig.objects.get().name == "app"


def test_long_work_keeps_its_lease(add: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "LEASE", timedelta(seconds=0.6))
    add()
    rows = CallbackEvent.objects.claim_due(1)
    first_end = row().next_attempt_at
    with draining.keep_lease(rows):
        wait_until(lambda: row().next_attempt_at > first_end + timedelta(seconds=0.3), timeout=20)
    assert row().status == Status.RUNNING


# --- failing ----------------------------------------------------------------------------------------------------------


def drain_raising(error: Exception) -> CallbackEvent:
    def handle(event: CallbackEvent) -> None:
        raise error

    draining.drain(CallbackEvent, handle)
    return row()


def test_the_first_retry_comes_within_ten_seconds_and_later_ones_ever_later() -> None:
    for _ in range(100):
        assert 0 < durable.retry_delay(1) <= 10
    assert durable.retry_delay(3) > durable.retry_delay(1)
    assert durable.retry_delay(1000) <= durable.LONGEST_RETRY
    assert len({durable.retry_delay(1) for _ in range(20)}) > 1  # jitter


def test_a_temporary_failure_never_dies_of_attempts(add: Callable[..., Any]) -> None:
    add(attempts=500)
    failed = drain_raising(TemporaryFailure("WeCom is away"))
    assert (failed.status, failed.last_error) == (Status.FAILED, "WeCom is away")


def test_retry_after_is_obeyed(add: Callable[..., Any]) -> None:
    add()
    failed = drain_raising(TemporaryFailure("wait", retry_after=3600))
    assert failed.next_attempt_at > timezone.now() + timedelta(minutes=59)


@pytest.fixture
def died() -> Iterator[list[str]]:
    keys: list[str] = []

    def note(sender: object, row: CallbackEvent, **kwargs: Any) -> None:
        keys.append(row.key)

    durable.row_died.connect(note)
    yield keys
    durable.row_died.disconnect(note)


def test_a_permanent_failure_is_dead_at_once_and_says_why(add: Callable[..., Any], died: list[str]) -> None:
    add()
    dead = drain_raising(PermanentFailure("No such template."))
    assert (dead.status, dead.last_error, died) == (Status.DEAD, "No such template.", ["k0"])


def test_a_crash_is_repeated_a_bounded_number_of_times(add: Callable[..., Any], died: list[str]) -> None:
    add()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(durable.MOST_CRASHES):
            assert row().status != Status.DEAD
            drain_raising(RuntimeError("bug"))
            clock.shift(durable.LONGEST_RETRY)
    assert row().status == Status.DEAD and died == ["k0"]


def test_a_person_revives_a_dead_row(add: Callable[..., Any]) -> None:
    add()
    drain_raising(PermanentFailure("no"))
    assert CallbackEvent.objects.all().retry() == 1
    assert (row().status, row().attempts, row().last_error) == (Status.PENDING, 0, "")


def test_retry_leaves_running_and_succeeded_rows_alone(add: Callable[..., Any]) -> None:
    add(2)
    first, _second = CallbackEvent.objects.claim_due(2)
    first.finish()
    assert CallbackEvent.objects.all().retry() == 0


def test_one_failing_row_undoes_itself_alone(add: Callable[..., Any]) -> None:
    add(3)

    def handle(event: CallbackEvent) -> None:
        WeComConfig.objects.update(name=f"last was {event.key}")
        event.outcome = "seen"
        if event.key == "k2":
            raise PermanentFailure("bad row")

    assert draining.drain_in_transaction(CallbackEvent, handle) == 3
    assert dict(CallbackEvent.objects.values_list("key", "status")) == {
        "k0": "succeeded",
        "k1": "succeeded",
        "k2": "dead",
    }
    assert WeComConfig.objects.get().name == "last was k1"
    assert set(CallbackEvent.objects.values_list("outcome", flat=True)) == {"seen"}


def test_sweep_counts_what_was_left_behind(add: Callable[..., Any]) -> None:
    assert durable.sweep(CallbackEvent) == 0
    add(3)
    assert durable.sweep(CallbackEvent) == 3


def test_a_database_that_went_away_is_no_crash_of_the_row(add: Callable[..., Any]) -> None:
    add(crashes=durable.MOST_CRASHES - 1, attempts=500)
    assert drain_raising(OperationalError("server closed the connection")).status == Status.FAILED
    CallbackEvent.objects.update(next_attempt_at=timezone.now())
    assert drain_raising(RuntimeError("bug")).status == Status.DEAD


def test_whoever_hears_of_a_dead_row_cannot_keep_it_alive(add: Callable[..., Any]) -> None:
    add()

    def broken(**kwargs: Any) -> None:
        raise RuntimeError("the listener's own bug")

    durable.row_died.connect(broken)
    try:
        assert drain_raising(PermanentFailure("no")).status == Status.DEAD
    finally:
        durable.row_died.disconnect(broken)


def test_a_long_drain_hands_over(add: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "LONGEST_DRAIN", 0.0)
    add(5)
    assert draining.drain(CallbackEvent, lambda event: None, batch=2) == 2
    assert CallbackEvent.objects.due().count() == 3


def test_rows_whose_turn_has_not_come_go_back_together_without_an_attempt(
    add: Callable[..., Any],
) -> None:
    rows = add(6)
    turns = {row.pk: 100.0 + place for place, row in enumerate(rows) if place % 2}

    def wait(claimed: Any) -> list[NotYet | None]:
        for row in claimed:
            row.outcome = f"seen {row.key}"
        return [NotYet("not yet", retry_after=turns[row.pk]) if row.pk in turns else None for row in claimed]

    assert draining.drain(CallbackEvent, lambda event: None, batch=10, wait=wait) == 3
    now = timezone.now()
    for row in CallbackEvent.objects.all():
        if row.pk in turns:
            assert (row.status, row.attempts, row.last_error) == (Status.PENDING, 0, "not yet")
            assert row.outcome == f"seen {row.key}"
            assert abs((row.next_attempt_at - now).total_seconds() - turns[row.pk]) < 5
        else:
            assert row.status == Status.SUCCEEDED


def test_a_row_that_another_worker_has_taken_is_not_put_back(add: Callable[..., Any]) -> None:
    add(2)
    rows = CallbackEvent.objects.claim_due(5)
    CallbackEvent.objects.filter(pk=rows[0].pk).update(claim=None)
    durable.put_back([(row, NotYet("not yet", retry_after=60)) for row in rows])
    assert list(CallbackEvent.objects.order_by("pk").values_list("status", flat=True)) == ["running", "pending"]
    durable.put_back([])
