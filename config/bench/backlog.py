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
LONGEST = 900.0
"""Seconds; a drain that takes longer has failed."""


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    seed.clear()
    rates: dict[str, list[float]] = defaultdict(list)
    drained: list[seed.Open] = []
    with (
        stage.stack("backlog") as ours,
        stage.stack("backlog-naive", redis=1, settings="config.bench.variants.naive_settings") as theirs,
    ):
        product, naive = ours.worker(concurrency=2), theirs.worker(concurrency=2)
        _drain(_approvals(WARM_UP))
        _drain_naively(naive, stage.redis_urls[1], WARM_UP // 10)
        memory = [resident_bytes(product.pid)]
        for repetition in range(plan.repetitions):
            approvals = _approvals(plan.backlog)
            rates["product"].append(_drain(approvals))
            drained += approvals
            memory.append(resident_bytes(product.pid))
            rates["naive"].append(_drain_naively(naive, stage.redis_urls[1], plan.naive_backlog))
            latest = ", ".join(f"{name} {values[-1]:.0f}/s" for name, values in rates.items())
            say(f"backlog {repetition + 1}/{plan.repetitions}: {latest}, {memory[-1] / 1e6:.0f} MB")
    yield _rate_line(plan, rates)
    stories, right = _stories(), [word for _change, _status, word in STORY]
    wrong = sum(stories[approval.instance_id] != right for approval in drained)
    yield Line("backlog: approvals whose story is wrong", f"{len(drained)}", str(wrong), wrong, "at most", 0, "")
    yield Line(
        f"memory after {plan.backlog} events",
        f"{memory[0] / 1e6:.0f} MB after {WARM_UP}",
        f"{memory[1] / 1e6:.0f} MB",
        memory[1] / memory[0],
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


def _drain(approvals: Sequence[seed.Open]) -> float:
    """Store events, wake the workers as the sweep does, wait for the last one; events a second."""
    keys = seed.stored_events(_happenings(approvals))
    started = time.perf_counter()
    durable.sweep(CallbackEvent)
    return _rate(keys, started)


def _drain_naively(worker: Process, redis_url: str, count: int) -> float:
    """The same with one task per event. Queueing them all is not counted against it."""
    keys = seed.stored_events(_happenings(_approvals(count)), due=False)
    worker.freeze()
    with Connection(redis_url) as broker:
        for key in keys:
            current_app.send_task("bench.naive", [key], connection=broker)
    started = time.perf_counter()
    worker.thaw()
    return _rate(keys, started)


def _rate(keys: Sequence[int], started: float) -> float:
    mine = CallbackEvent.objects.filter(pk__gte=keys[0], pk__lte=keys[-1], status__in=OPEN)
    wait_until(lambda: not mine.exists(), LONGEST, "the backlog has drained", interval=0.05)
    return len(keys) / (time.perf_counter() - started)


def _stories() -> dict[int, list[str]]:
    stories: dict[int, list[str]] = defaultdict(list)
    for instance, action in ApprovalTimeline.objects.order_by("pk").values_list("instance", "action").iterator():
        stories[instance].append(action)
    return stories
