"""From POST to the quote's state: 50 events a second, every tenth of them delivered twice, two worker processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from django.db import connection
from django.db.models import Count

from approvals.models import ApprovalTimeline, Outcome, Quote
from config.bench import seed
from config.bench.events import crypto, event_xml, request
from config.bench.load import EXPECTED, Connection
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from wecom.models import CallbackEvent

PER_SECOND = 50
TWICE_EVERY = 10
LOOK_EVERY = 0.02
"""Seconds between two looks at the quotes; the error of a latency."""
PATIENCE = 60.0
"""Seconds after the last event before an event counts as lost."""


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    seed.clear()
    with stage.stack("latency") as stack:
        web = stack.web()
        stack.worker(concurrency=2)
        _measure(web.port, seed.open_approvals(seed.sp_numbers(PER_SECOND)))  # warms everything up
        known = seed.open_approvals(seed.sp_numbers(PER_SECOND * plan.seconds))
        say(f"latency: {len(known)} events in {plan.seconds} s")
        latencies = _measure(web.port, known)
    yield from _lines(latencies, len(known))


def _lines(latencies: Sequence[float], sent: int) -> Iterator[Line]:
    rate = f"{PER_SECOND} events/s"
    for name, share, limit in (("p50", 50, 0.5), ("p99", 99, 3)):
        seconds = latencies[len(latencies) * share // 100]
        yield Line(f"POST to state: {name}", rate, f"{seconds:.3f} s", seconds, "at most", limit, "s")
    lost = sent - len(latencies)
    yield Line("POST to state: lost", f"{sent} events", str(lost), lost, "at most", 0, "")
    twice = _applied_twice() + CallbackEvent.objects.count() - sent - PER_SECOND
    yield Line("POST to state: twice", f"{sent // TWICE_EVERY} duplicates", str(twice), twice, "at most", 0, "")


def _measure(port: int, known: Sequence[seed.Open]) -> list[float]:
    """Seconds from the moment an event was due until its quote was seen approved; sorted, without the lost."""
    now = int(time.time())
    requests = []
    for place, approval in enumerate(known):
        xml = event_xml(approval.sp_no, status=2, change=2, at=now)
        requests.append([request(crypto(), xml) for _ in range(1 if place % TWICE_EVERY else 2)])
    due: dict[int, float] = {}
    sender = threading.Thread(target=_send, args=(port, known, requests, due))
    sender.start()
    latencies = _watch(due, len(known), sender)
    sender.join()
    return sorted(latencies)


def _send(port: int, known: Sequence[seed.Open], requests: Sequence[Sequence[bytes]], due: dict[int, float]) -> None:
    """One after another, each not before its time; a late answer makes those behind it late, which counts."""
    line = Connection(port, EXPECTED.encode())
    started = time.perf_counter()
    for place, (approval, deliveries) in enumerate(zip(known, requests, strict=True)):
        at = started + place / PER_SECOND
        time.sleep(max(0.0, at - time.perf_counter()))
        due[approval.quote_id] = at
        for delivery in deliveries:
            line.send(delivery)
            while line.receive() is None:
                pass
    line.socket.close()


def _watch(due: dict[int, float], total: int, sender: threading.Thread) -> list[float]:
    seen: dict[int, float] = {}
    deadline = float("inf")
    while len(seen) < total and time.perf_counter() < deadline:
        time.sleep(LOOK_EVERY)
        open_ids = [quote_id for quote_id in list(due) if quote_id not in seen]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {Quote._meta.db_table} WHERE id = ANY(%s) AND approval_status = 'approved'",  # noqa: S608
                [open_ids],
            )
            decided = [row[0] for row in cursor.fetchall()]
        now = time.perf_counter()
        seen |= {quote_id: now - due[quote_id] for quote_id in decided}
        if not sender.is_alive() and deadline == float("inf"):
            deadline = now + PATIENCE
    return list(seen.values())


def _applied_twice() -> int:
    applied = ApprovalTimeline.objects.filter(outcome=Outcome.APPLIED).order_by().values("instance")
    return applied.annotate(times=Count("pk")).filter(times__gt=1).count()
