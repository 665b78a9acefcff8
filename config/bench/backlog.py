"""A backlog of stored events: how fast it drains against one task per event, in which order, and at what memory."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from celery import current_app
from kombu import Connection

from approvals.models import ApprovalTimeline
from config import durable
from config.bench import seed
from config.bench.accounting import resident_bytes
from config.bench.events import event_xml
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.durable import OPEN
from config.testing.processes import Process, wait_until
from wecom.models import CallbackEvent

STORY = ((1, 1, "submit"), (10, 1, "comment"), (2, 2, "approve"), (8, 6, "revoke"))
"""What happens to each approval: StatuChangeEvent, SpStatus, and the timeline's word for it."""
CLOSE_TOGETHER = 100
"""Approvals whose events are mixed: several of one approval meet in one claim, and in the claims of two workers."""
WARM_UP = 1_000
SLOWER = 2
"""The naive variant gets the backlog's size divided by this: enough to be busy until the product is done."""
TURN = 3.0
"""Seconds. Short, because the speed of the machine changes while 20,000 events are drained."""
LOOK_EVERY = 0.1
LONGEST = 300.0


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    seed.clear()
    with (
        stage.stack("backlog") as ours,
        stage.stack("backlog-naive", redis=1, settings="config.bench.variants.naive_settings") as theirs,
    ):
        product, naive = ours.worker(concurrency=2), theirs.worker(concurrency=2)
        _warm_up(stage)
        before = resident_bytes(product.pid)
        for worker in (product, naive):
            worker.freeze()
        say(f"backlog: storing {plan.backlog} events")
        drained = _approvals(plan.backlog)
        rates = _race(product, _store(drained), naive, _queue(stage, _approvals(plan.backlog // SLOWER)))
        after = resident_bytes(product.pid)
    yield _rate_line(plan, rates)
    stories, right = _stories(), [word for _change, _status, word in STORY]
    wrong = sum(stories[approval.instance_id] != right for approval in drained)
    yield Line("backlog: approvals whose story is wrong", f"{len(drained)}", str(wrong), wrong, "at most", 0, "")
    yield Line(
        f"memory after {plan.backlog} events",
        f"{before / 1e6:.0f} MB after {WARM_UP}",
        f"{after / 1e6:.0f} MB",
        after / before,
        "at most",
        1.1,
    )


def _rate_line(plan: Plan, rates: dict[str, list[float]]) -> Line:
    pairs = zip(rates["product"], rates["naive"], strict=True)
    return Line(
        f"backlog of {plan.backlog}: events/s against a task per event",
        f"{median(rates['naive']):.0f}/s",
        f"{median(rates['product']):.0f}/s",
        median(ours / theirs for ours, theirs in pairs),
        "at least",
        4,
    )


def _race(product: Process, ours: Sequence[int], naive: Process, theirs: Sequence[int]) -> dict[str, list[float]]:
    """Both work by turns, one of them stopped while the other runs, until the product has none left. The rates of
    each turn. A stopped worker keeps what it has claimed: a turn is far shorter than a lease."""
    rates: dict[str, list[float]] = defaultdict(list)
    durable.sweep(CallbackEvent)  # wakes the product's worker, as it would after an outage
    while _left(ours):
        for name, worker, keys in (("product", product, ours), ("naive", naive, theirs)):
            rates[name].append(_turn(worker, keys))
        say(
            f"backlog: {_left(ours)} left, " + ", ".join(f"{name} {values[-1]:.0f}/s" for name, values in rates.items())
        )
        if not _left(theirs):
            raise RuntimeError(f"the naive variant is not even {SLOWER} times slower")
    return rates


def _turn(worker: Process, keys: Sequence[int]) -> float:
    """Let the worker run for a while; events a second."""
    before, started = _left(keys), time.perf_counter()
    worker.thaw()
    while (left := _left(keys)) and time.perf_counter() < started + TURN:
        time.sleep(LOOK_EVERY)
    worker.freeze()
    seconds = time.perf_counter() - started
    return (before - (left and _left(keys))) / seconds


def _left(keys: Sequence[int]) -> int:
    return CallbackEvent.objects.filter(pk__gte=keys[0], pk__lte=keys[-1], status__in=OPEN).count()


def _warm_up(stage: Stage) -> None:
    ours, theirs = _store(_approvals(WARM_UP)), _queue(stage, _approvals(WARM_UP // 10))
    durable.sweep(CallbackEvent)
    wait_until(lambda: not _left(ours) and not _left(theirs), LONGEST, "both have warmed up", interval=0.1)


def _store(approvals: Sequence[seed.Open]) -> list[int]:
    """Events as the callback leaves them; their keys."""
    return seed.stored_events(_happenings(approvals))


def _queue(stage: Stage, approvals: Sequence[seed.Open]) -> list[int]:
    """Events for the naive variant: a task for each. Queueing them is not counted against it."""
    keys = seed.stored_events(_happenings(approvals), due=False)
    with Connection(stage.redis_urls[1]) as broker:
        for key in keys:
            current_app.send_task("bench.naive", [key], connection=broker)
    return keys


def _approvals(events: int) -> list[seed.Open]:
    """New approvals to which so many events will have happened."""
    return seed.open_approvals(seed.sp_numbers(events // len(STORY)))


def _happenings(approvals: Sequence[seed.Open]) -> Iterator[seed.Happened]:
    """To each approval STORY, in this order; of many approvals mixed."""
    numbers = [approval.sp_no for approval in approvals]
    now = int(time.time()) - len(STORY)
    for start in range(0, len(numbers), CLOSE_TOGETHER):
        told: dict[str, int] = defaultdict(int)
        mixed = numbers[start : start + CLOSE_TOGETHER] * len(STORY)
        random.Random(start).shuffle(mixed)
        for sp_no in mixed:
            place = told[sp_no]
            told[sp_no] += 1
            change, status, _word = STORY[place]
            yield seed.Happened(sp_no, now + place, event_xml(sp_no, status=status, change=change, at=now + place))


def _stories() -> dict[int, list[str]]:
    stories: dict[int, list[str]] = defaultdict(list)
    for instance, action in ApprovalTimeline.objects.order_by("pk").values_list("instance", "action").iterator():
        stories[instance].append(action)
    return stories
