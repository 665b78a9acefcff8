"""The budgets in a real Redis: exact under parallel callers, lanes, pauses."""

from __future__ import annotations

import contextlib
import socket
import time
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from wecom import budgets, rates
from wecom import redis as redis_module
from wecom.budgets import Budget, levels
from wecom.errors import QuotaError, RetryableError
from wecom.rates import HOUR, MINUTE, Rate, rates_of, shortest
from wecom.redis import redis
from wecom.tests.peers import refused_url

LIST = "oa/getapprovalinfo"


@pytest.fixture
def budget() -> Budget:
    return Budget(f"test:{uuid.uuid4().hex}")


@pytest.fixture
def no_waiting(monkeypatch):
    """A caller that would have to wait is refused at once, so that the test counts and does not wait."""
    monkeypatch.setattr(budgets, "LONGEST_WAIT", 0.0)


def taken(budget: Budget, lane: budgets.Lane = "decision", most: int = 1000) -> int:
    """How many calls pass one after another before the budget refuses."""
    for count in range(most):
        try:
            budget.take(LIST, lane)
        except QuotaError:
            return count
    return most


def test_the_approval_endpoints_follow_the_setting_and_the_rest_the_documents(settings):
    settings.WECOM_CALLS_PER_MINUTE = 321

    def limits(endpoint: str) -> dict[int, int]:
        return {rate.window: rate.limit for rate in rates_of(endpoint)}

    assert limits("oa/applyevent") == {MINUTE: 321}  # 60 such minutes stay below the hour's limit
    assert limits("user/list") == {MINUTE: 10_000, HOUR: 150_000}
    assert limits("gettoken") == {MINUTE: 60}
    assert limits("message/send") == {}  # not in the basic limits


@pytest.mark.parametrize("window", [MINUTE, HOUR])
@pytest.mark.parametrize("limit", [1, 2, 10, 60, 600, 10_000, 150_000])
def test_no_window_can_hold_more_calls_than_the_limit(limit, window):
    rate = Rate(limit, window)
    # GCRA lets the burst through at once and then one call per interval: this is the fullest window.
    fullest = rate.burst + int(window / rate.interval) if limit > 1 else 1
    assert fullest <= limit
    assert rate.burst >= 1


def test_what_many_calls_take_at_least():
    assert shortest("user/list", 1, "bulk") == 0
    assert shortest("user/list", 2_000, "bulk") == pytest.approx(2_000 * 0.006, rel=0.05)  # the minute's pace
    assert shortest("user/list", 100_000, "bulk") == pytest.approx(75_000 * 0.048, rel=0.05)  # then the hour's
    assert shortest("message/send", 100_000, "notice") == 0


def test_a_burst_passes_and_then_nobody_for_one_interval(budget, settings, no_waiting):
    settings.WECOM_CALLS_PER_MINUTE = 60  # 6 at once, then one every 60/54 s
    assert taken(budget) == 6
    with pytest.raises(QuotaError) as caught:
        budget.take(LIST)
    assert caught.value.retry_after == pytest.approx(60 / 54, rel=0.5)
    assert caught.value.endpoint == LIST


def test_parallel_callers_together_get_exactly_the_burst(budget, settings, no_waiting):
    settings.WECOM_CALLS_PER_MINUTE = 100  # 10 at once, then one every 0.67 s

    def attempt(_number: int) -> bool:
        try:
            budget.take(LIST)
        except QuotaError:
            return False
        return True

    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        passed = sum(pool.map(attempt, range(200)))
    dripped = int((time.monotonic() - started) / Rate(100).interval) + 1
    assert 10 <= passed <= 10 + dripped


@pytest.fixture
def small_hour(monkeypatch):
    """120 calls an hour: 60 at once, then one a minute. The minute would have room for more."""
    monkeypatch.setattr(rates, "BASIC_CALLS_PER_HOUR", 120)


def test_the_hour_ends_what_the_minutes_would_let_through(budget, small_hour, no_waiting):
    for _call in range(60):
        with contextlib.suppress(QuotaError):  # the minute's burst is 30
            budget.take("user/list")
        redis().delete(budgets.bucket_key(budget._app_key, "user/list"))
    with pytest.raises(QuotaError) as caught:
        budget.take("user/list")
    assert caught.value.retry_after == pytest.approx(60, abs=5)
    assert level(budget, "user/list").free["decision"] == 0
    assert level(budget, "user/list").left == 1
    budget.take("user/get")


def test_the_hour_too_leaves_room_for_decisions(budget, small_hour, no_waiting):
    def all_of(lane: budgets.Lane) -> int:
        for count in range(100):
            redis().delete(budgets.bucket_key(budget._app_key, "user/list"))
            try:
                budget.take("user/list", lane)
            except QuotaError:
                return count
        return 100

    assert (all_of("bulk"), all_of("notice"), all_of("decision")) == (20, 20, 20)


def test_a_call_that_one_bucket_refuses_is_counted_in_none(budget, small_hour, no_waiting):
    for _attempt in range(50):
        with contextlib.suppress(QuotaError):
            budget.take("user/list", "bulk")  # 10 pass the minute's bucket
    used = level(budget, "user/list").used
    due = int(str(redis().get(budgets.bucket_key(budget._app_key, "user/list", HOUR))))
    seconds, microseconds = redis().time()
    assert 10 <= used <= 20
    assert due / 1e6 - (seconds + microseconds / 1e6) == pytest.approx(60 * used, abs=5)


def test_sending_is_counted_and_paused_but_not_limited(budget, no_waiting):
    for _call in range(200):
        budget.take("message/send", "bulk")
    found = level(budget, "message/send")
    assert (found.limit, found.used, found.left, found.free) == (None, 200, None, {})
    budget.pause("message/send", 60)
    assert level(budget, "message/send").left == 0
    with pytest.raises(QuotaError):
        budget.take("message/send")


def test_a_short_wait_is_waited(budget, settings):
    settings.WECOM_CALLS_PER_MINUTE = 600  # 30 at once, then one every 105 ms
    started = time.monotonic()
    for _number in range(32):
        budget.take(LIST)
    assert time.monotonic() - started >= 1.5 * Rate(600).interval


def test_bulk_work_leaves_room_for_notices_and_notices_for_decisions(budget, settings, no_waiting):
    settings.WECOM_CALLS_PER_MINUTE = 30  # 3 at once: bulk may use 1, notices 2, decisions 3; the next after 2.2 s
    assert taken(budget, "bulk") == 1
    assert taken(budget, "notice") == 1
    assert taken(budget, "decision") == 1


def test_endpoints_and_apps_have_budgets_of_their_own(budget, settings, no_waiting):
    settings.WECOM_CALLS_PER_MINUTE = 10
    assert taken(budget) == 1
    budget.take("oa/getapprovaldetail")
    Budget(f"{budget._app_key}:another").take(LIST)


def test_a_pause_holds_for_everybody_and_a_shorter_one_does_not_cut_it(budget):
    for seconds in (60, 5):
        budget.pause(LIST, seconds)
        with pytest.raises(QuotaError) as caught:
            budget.take(LIST)
        assert caught.value.retry_after == pytest.approx(60, abs=5)
    budget.take("oa/applyevent")


def over(budget: Budget, endpoint: str) -> None:
    """The pause ends."""
    redis().delete(budgets.pause_key(budget._app_key, endpoint))


def test_a_pause_that_proves_too_short_is_followed_by_a_long_one(budget):
    def refused() -> float:
        return budget.pause("user/list", 60, then=3600)

    assert budget.take("user/list") is False
    assert refused() == 60
    assert refused() == pytest.approx(60, abs=1)  # of a call that was under way already
    over(budget, "user/list")
    assert budget.take("user/list") is True
    assert refused() == 3600
    over(budget, "user/list")
    assert budget.take("user/list") is True
    budget.reopen("user/list")
    assert budget.take("user/list") is False
    assert refused() == 60


def test_an_endpoint_that_no_hour_can_block_is_asked_again_after_a_minute(budget):
    for _refusal in range(3):
        assert budget.pause(LIST, 60, then=3600) == 60
        over(budget, LIST)


def test_a_short_pause_leaves_no_mark(budget):
    budget.pause("user/list", 5)
    over(budget, "user/list")
    assert budget.take("user/list") is False


def test_without_redis_what_succeeded_is_not_turned_into_a_failure(budget, settings):
    settings.REDIS_URL = refused_url().replace("http", "redis")
    budget.reopen("user/list")


def test_the_script_survives_a_flush(budget):
    budget.take(LIST)
    redis().script_flush()
    budget.take(LIST)


def test_every_key_ends_by_itself(budget, settings, monkeypatch):
    # at the real rates a bucket is gone after some milliseconds, maybe before it is looked for
    settings.WECOM_CALLS_PER_MINUTE = 2
    monkeypatch.setattr(rates, "BASIC_CALLS_PER_MINUTE", 3)
    monkeypatch.setattr(rates, "BASIC_CALLS_PER_HOUR", 120)
    budget.take(LIST)
    budget.take("user/list")
    budget.pause("user/list", 30, then=60)
    keys = set(redis().scan_iter(f"{budget._app_key}:*"))  # a scan may name a key twice
    assert len(keys) == 2 + 3 + 2  # bucket and slot; two buckets and a slot; the pause and its mark
    assert all(0 < redis().pttl(key) <= 3_700_000 for key in keys)


def test_a_redis_that_hangs_costs_one_time_out(budget, settings, monkeypatch):
    monkeypatch.setattr(redis_module, "ANSWER_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        started = time.monotonic()
        with pytest.raises(RetryableError):
            budget.take(LIST)
        assert 0.75 < time.monotonic() - started < 2.0


def test_without_redis_a_call_fails_soon_and_may_be_repeated(budget, settings):
    settings.REDIS_URL = refused_url().replace("http://", "redis://:canary-password@")
    started = time.monotonic()
    with pytest.raises(RetryableError) as caught:
        budget.take(LIST)
    assert time.monotonic() - started < 3
    assert "canary" not in "".join(traceback.format_exception(caught.value))


# -- looking ---------------------------------------------------------------------------------------------------------


def level(budget: Budget, endpoint: str = LIST) -> budgets.Level:
    (found,) = levels(budget._app_key, [endpoint])
    return found


def test_an_endpoint_that_nobody_called_has_all_of_it(budget, settings):
    settings.WECOM_CALLS_PER_MINUTE = 60
    found = level(budget)
    assert (found.limit, found.used, found.left, found.paused) == (60, 0, 60, 0)
    assert found.free == {"decision": 6, "notice": 4, "bulk": 2}


def test_looking_tells_what_is_left_and_takes_nothing(budget, settings, no_waiting):
    settings.WECOM_CALLS_PER_MINUTE = 60  # 6 at once
    for _call in range(3):
        budget.take(LIST)
    for _look in range(5):
        found = level(budget)
        assert (found.used, found.left) == (3, 57)
        assert found.free == {"decision": 3, "notice": 1, "bulk": 0}
    assert taken(budget) == 3
    assert level(budget).free["decision"] == 0


def test_what_it_says_is_free_passes_in_each_lane(budget, settings, no_waiting):
    settings.WECOM_CALLS_PER_MINUTE = 90
    budget.take(LIST)
    for lane in ("bulk", "notice", "decision"):
        assert level(budget).free[lane] == taken(budget, lane)


def test_refused_calls_are_not_counted(budget, settings, no_waiting):
    settings.WECOM_CALLS_PER_MINUTE = 60
    taken(budget)
    for _attempt in range(10):
        with pytest.raises(QuotaError):
            budget.take(LIST)
    assert level(budget).used == 6


def test_calls_are_forgotten_after_a_minute(budget, settings):
    budget.take(LIST)
    (slot,) = redis().scan_iter(f"{budgets.bucket_key(budget._app_key, LIST)}:*")
    bucket, _, number = slot.rpartition(":")
    redis().rename(slot, f"{bucket}:{int(number) - budgets.SLOTS + 1}")
    assert level(budget).used == 1
    redis().rename(f"{bucket}:{int(number) - budgets.SLOTS + 1}", f"{bucket}:{int(number) - budgets.SLOTS - 1}")
    assert level(budget).used == 0


def test_a_pause_leaves_nothing_to_anybody(budget):
    budget.pause(LIST, 90)
    found = level(budget)
    assert 80 < found.paused <= 90
    assert found.left == 0
    assert set(found.free.values()) == {0}


def test_endpoints_come_in_the_order_they_were_asked_for(budget):
    budget.take("user/list")
    found = levels(budget._app_key, ["user/list", LIST])
    assert [(one.endpoint, one.used) for one in found] == [("user/list", 1), (LIST, 0)]


def test_looking_without_redis_says_so(budget, settings):
    settings.REDIS_URL = refused_url().replace("http", "redis")
    with pytest.raises(RetryableError):
        level(budget)
