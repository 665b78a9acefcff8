"""The rate of one member in a real Redis: no window too full, turns in order, decisions before notices."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wecom import member_rate
from wecom.budgets import Budget
from wecom.errors import QuotaError, RetryableError
from wecom.member_rate import INTERVAL, PER_HOUR, PER_MINUTE, MemberBusy, MemberRate
from wecom.redis import redis
from wecom.tests.peers import refused_url

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Clock:
    """Redis's clock, set by the test."""

    def __init__(self) -> None:
        self.set(START)

    def set(self, now: datetime) -> None:
        self.now = now
        redis().set("test:now", round(now.timestamp() * 1e6))

    def forward(self, seconds: float) -> None:
        self.set(self.now + timedelta(seconds=seconds))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(member_rate, "_NOW", "local now = tonumber(redis.call('GET', 'test:now'))")
    monkeypatch.setattr(member_rate, "LONGEST_WAIT", 0.0)
    return Clock()


@pytest.fixture
def rate() -> MemberRate:
    return MemberRate(f"test:{uuid.uuid4().hex}")


def fullest(moments: list[datetime], window: timedelta) -> int:
    """The most of them that any half-open window of this length holds."""
    moments = sorted(moments)
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def send_when_due(rate: MemberRate, clock: Clock, waiting: list[tuple[datetime, datetime | None]]) -> list[datetime]:
    """What a worker does: try what is due, put the rest back. Returns when each left."""
    left = []
    while waiting:
        waiting.sort()
        due, turn = waiting.pop(0)
        if due > clock.now:
            clock.set(due)
        try:
            rate.take_turn("li.mei", turn)
        except MemberBusy as busy:
            waiting.append((clock.now + timedelta(seconds=busy.retry_after), busy.turn))
        else:
            left.append(clock.now)
    return left


def test_a_thousand_waiting_notices_use_the_rate_and_never_exceed_it(rate: MemberRate, clock: Clock) -> None:
    promised = rate.reserve(["li.mei"] * 400)
    left = send_when_due(rate, clock, [(busy.turn, busy.turn) for busy in promised])
    assert len(left) == 400
    assert fullest(left, timedelta(seconds=60)) < PER_MINUTE
    assert 400 / ((left[-1] - left[0]) / timedelta(minutes=1)) >= 0.92 * PER_MINUTE
    assert left == [busy.turn for busy in promised]  # in the order they came, each once at its turn


def test_an_hour_holds_no_more_than_wecom_delivers_and_uses_it(rate: MemberRate, clock: Clock) -> None:
    promised = rate.reserve(["li.mei"] * 1500)
    left = send_when_due(rate, clock, [(busy.turn, busy.turn) for busy in promised])
    assert len(left) == 1500
    assert 960 <= fullest(left, timedelta(hours=1)) <= PER_HOUR


events = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(min_value=0, max_value=40)),
        st.tuples(st.just("notices"), st.integers(min_value=1, max_value=40)),
        st.tuples(st.just("decision"), st.integers(min_value=1, max_value=20)),
        st.tuples(st.just("outage"), st.floats(min_value=0, max_value=100)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happens=events, lateness=st.lists(st.floats(min_value=0, max_value=8), min_size=1, max_size=7))
def test_whatever_comes_whenever_no_minute_holds_more_than_thirty(
    clock: Clock, happens: list[tuple[str, float]], lateness: list[float]
) -> None:
    rate = MemberRate(f"test:{uuid.uuid4().hex}")
    clock.set(START)
    waiting: list[tuple[datetime, datetime | None]] = []
    left: list[datetime] = []
    announced = 0
    for what, amount in happens:
        if what == "notices":
            announced += int(amount)
            waiting += [(clock.now, None)] * int(amount)
        elif what == "decision":
            for _number in range(int(amount)):
                try:
                    rate.take(["LI.MEI"])
                except MemberBusy:
                    continue
                left.append(clock.now)
                announced += 1
        else:
            clock.forward(amount)
        if what != "outage":
            late = lateness[len(left) % len(lateness)]
            due = [row for row in waiting if row[0] + timedelta(seconds=late) <= clock.now]
            for row in due:
                waiting.remove(row)
                try:
                    rate.take_turn("li.mei", row[1])
                except MemberBusy as busy:
                    waiting.append((clock.now + timedelta(seconds=busy.retry_after), busy.turn))
                else:
                    left.append(clock.now)
    left += send_when_due(rate, clock, waiting)
    assert len(left) == announced  # nothing is lost
    assert fullest(left, timedelta(seconds=60 + member_rate.MARGIN)) <= PER_MINUTE


def test_a_decision_goes_before_the_notices_that_wait(rate: MemberRate, clock: Clock) -> None:
    promised = rate.reserve(["li.mei"] * 200)
    for busy in promised[:60]:  # two minutes at the full rate of notices
        clock.set(max(busy.turn, clock.now))
        rate.take_turn("li.mei", busy.turn)
    clock.forward(0.5)
    rate.take(["li.mei"])
    # and then the next notice makes room, not the other way round
    clock.set(promised[60].turn)
    with pytest.raises(MemberBusy) as caught:
        rate.take_turn("li.mei", promised[60].turn)
    assert 0 < caught.value.retry_after < 2 * INTERVAL


def test_a_decision_to_several_counts_for_all_or_for_nobody(rate: MemberRate, clock: Clock) -> None:
    for _number in range(PER_MINUTE):
        rate.take(["busy"])
    with pytest.raises(MemberBusy) as caught:
        rate.take(["free", "busy"])
    assert caught.value.retry_after == pytest.approx(60 + member_rate.MARGIN)
    for _number in range(PER_MINUTE):
        rate.take(["free"])


def test_a_turn_that_was_missed_is_taken_anew(rate: MemberRate, clock: Clock) -> None:
    promised = rate.reserve(["li.mei"] * 30)
    clock.set(promised[3].turn + timedelta(seconds=member_rate.LATEST + 0.1))
    with pytest.raises(MemberBusy) as caught:
        rate.take_turn("li.mei", promised[3].turn)
    assert caught.value.turn > promised[-1].turn
    for busy in promised[4:10]:  # a little late: still their turns, all at once
        rate.take_turn("li.mei", busy.turn)


def test_an_early_comer_keeps_its_turn(rate: MemberRate, clock: Clock) -> None:
    promised = rate.reserve(["li.mei"] * 3)
    with pytest.raises(MemberBusy) as caught:
        rate.take_turn("li.mei", promised[2].turn)
    assert caught.value.turn == promised[2].turn
    assert rate.reserve(["li.mei"])[0].turn == promised[2].turn + timedelta(seconds=INTERVAL)


def test_members_and_apps_have_rates_of_their_own_and_userids_ignore_case(rate: MemberRate, clock: Clock) -> None:
    turns = rate.reserve(["li.mei", "wang", "LI.MEI"])
    assert [busy.retry_after for busy in turns] == [0, 0, pytest.approx(INTERVAL)]
    assert MemberRate("another").reserve(["li.mei"])[0].retry_after == 0


def test_a_pause_of_sending_holds_for_every_member_and_costs_no_turn(rate: MemberRate) -> None:
    Budget(rate._app_key).pause("message/send", 60)
    for attempt in (lambda: rate.take(["li.mei"]), lambda: rate.take_turn("li.mei")):
        with pytest.raises(QuotaError) as caught:
            attempt()
        assert caught.value.retry_after == pytest.approx(60, abs=5)
    assert not list(redis().scan_iter(f"{rate._app_key}:member:*"))


def test_parallel_callers_get_exactly_the_minute(rate: MemberRate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_rate, "LONGEST_WAIT", 0.0)

    def attempt(_number: int) -> bool:
        try:
            rate.take(["li.mei"])
        except MemberBusy:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(120))) == PER_MINUTE


@pytest.mark.timed
def test_a_decision_waits_a_moment_for_its_place(rate: MemberRate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_rate, "PER_MINUTE", 1)
    monkeypatch.setattr(member_rate, "MARGIN", -59.8)  # a minute of 0.2 s
    rate.take(["li.mei"])
    started = time.monotonic()
    rate.take(["li.mei"])
    assert 0.1 < time.monotonic() - started < 1


def test_every_key_ends_by_itself(rate: MemberRate) -> None:
    rate.reserve(["li.mei"] * 3)
    rate.take_turn("wang")
    keys = list(redis().scan_iter(f"{rate._app_key}:*"))
    assert len(keys) == 3
    assert all(3_600_000 < redis().pttl(key) < 3_700_000 for key in keys)


def test_without_redis_a_message_may_be_repeated(rate: MemberRate, settings) -> None:
    settings.REDIS_URL = refused_url().replace("http://", "redis://")
    with pytest.raises(RetryableError):
        rate.take(["li.mei"])
