"""10,000 messages wait for members of whom each may get 30 a minute, at a WeCom that answers in 20 ms.

Counted from what the stand-in has received: no minute, wherever it starts, may hold more than the rate, and while
messages wait the rate must be used.
"""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from config import durable
from config.bench import seed
from config.bench.accounting import cpu_seconds
from config.bench.control import post
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.children import free_port
from config.testing.processes import wait_until
from notifications.models import ChannelKind, Notification

PENDING = 10_000
MEMBERS = 40
"""So many that the workers have to be quick, so few that they could send more than the members may get."""
ANSWER_SECONDS = 0.02
RATE = 30
MINUTE = 60.0
LONGEST = 30.0


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    seed.clear()
    with stage.stack("notices") as stack:
        standin = stack.standin(callback_url=f"http://127.0.0.1:{free_port()}/wecom/callback")
        post(standin.url, "faults", kind="slow", endpoint="message/send", seconds=ANSWER_SECONDS)
        worker = stack.worker(concurrency=2)
        _announce()
        durable.sweep(Notification)
        received = stack.directory / "standin.sqlite3"
        wait_until(lambda: _received(received), LONGEST, "the first message arrives", interval=0.02)
        before, started = cpu_seconds(worker.pid), time.time()
        say(f"notices: {PENDING} messages wait for {MEMBERS} members")
        time.sleep(plan.notices_seconds)
        used = cpu_seconds(worker.pid) - before
        worker.freeze()
        arrivals = _received(received, until=started + plan.notices_seconds)
        waiting = Notification.objects.filter(status__in=durable.OPEN).count()
    if not waiting:
        raise RuntimeError("nothing waited at the end: the rate was not what held the messages back")
    yield from _lines(arrivals, plan.notices_seconds, used)


def _announce() -> None:
    """As ``notifications.announce`` leaves them: each with its own text, or WeCom would see repetitions."""
    Notification.objects.bulk_create(
        [
            Notification(
                key=f"bench:{number}",
                event="bench",
                channel=ChannelKind.WECOM,
                address=f"crowd{number % MEMBERS:03d}",
                language="zh-hans",
                body=f"项目 P-{number:05d} 的状态已更新为：已发货。",
            )
            for number in range(PENDING)
        ],
        batch_size=2000,
    )


def _received(database: Path, until: float | None = None) -> dict[str, list[float]]:
    """When each member's messages arrived; those that WeCom would have dropped count like the others."""
    arrivals: dict[str, list[float]] = defaultdict(list)
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        statement = "SELECT userid, sent_at FROM messages WHERE sent_at <= ? ORDER BY sent_at"
        for userid, sent_at in connection.execute(statement, [until or time.time()]):
            arrivals[userid].append(sent_at)
    return arrivals


def _lines(arrivals: dict[str, list[float]], seconds: float, cpu: float) -> Iterator[Line]:
    total = sum(map(len, arrivals.values()))
    name = f"{MEMBERS} members, {PENDING} waiting, {seconds:.0f} s"
    fullest = max(_fullest_minute(moments) for moments in arrivals.values())
    yield Line(f"{name}: most to a member in any minute", f"{RATE}", f"{fullest}", fullest, "at most", RATE, "")
    allowed = RATE * seconds / MINUTE
    least = min(len(arrivals.get(f"crowd{number:03d}", ())) for number in range(MEMBERS))
    yield Line(f"{name}: rate used, worst member", f"{allowed:.0f} each", f"{least}", least / allowed, "at least", 0.9)
    share = cpu / seconds
    value = f"{total / seconds:.1f}/s, {share:.2f} of a core"
    yield Line(
        f"{name}: CPU of the workers per message", "informal", value, 1000 * cpu / total, "at most", 20, "ms", False
    )


def _fullest_minute(moments: Sequence[float]) -> int:
    """The most messages in any 60 s, wherever they start."""
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= MINUTE:
            first += 1
        most = max(most, last - first + 1)
    return most
