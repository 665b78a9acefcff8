"""Callback intake: the product's view against the bare floor and against the naive way, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from config.bench import load
from config.bench.accounting import cpu_seconds
from config.bench.events import crypto, distinct_requests
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.testing.processes import Web

CONNECTIONS = 8
BUSIEST_GENERATOR = 0.7
"""Share of one core; beyond it the generator would be what is measured."""
SETTINGS = {
    "product": "config.settings",
    "floor": "config.bench.variants.floor_settings",
    "naive": "config.bench.variants.naive_settings",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one variant. Times in seconds, ``cpu`` of the web server's processes per request."""

    rate: float
    cpu: float
    p50: float
    p99: float
    generator: float


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    for vendor in ("sqlite", "postgres"):
        database_url = f"sqlite:///{stage.folder / 'intake.sqlite3'}" if vendor == "sqlite" else ""
        turns = _measure(stage, plan, vendor, database_url)
        yield from _lines(vendor, turns)


def _measure(stage: Stage, plan: Plan, vendor: str, database_url: str) -> dict[str, list[Turn]]:
    turns: dict[str, list[Turn]] = defaultdict(list)
    with ExitStack() as running:
        webs = {}
        for redis, (variant, module) in enumerate(SETTINGS.items()):
            stack = running.enter_context(
                stage.stack(f"{vendor}-{variant}", redis=redis, database_url=database_url, settings=module)
            )
            if variant == "product":
                _make_tables(stack.environment)
            webs[variant] = stack.web()
        for web in webs.values():
            _turn(stage, web, plan.warm_up_requests)
        order = list(webs)
        for number in range(plan.turns):
            for variant in order:
                # the naive way is so slow that a part of the requests must do
                count = plan.requests // 4 if variant == "naive" else plan.requests
                turns[variant].append(_turn(stage, webs[variant], count))
            order = order[1:] + order[:1]  # nobody always follows the same neighbour
            say(f"intake {vendor} {number + 1}/{plan.turns}: {_summary(turns)}")
    return turns


def _make_tables(environment: dict[str, str]) -> None:
    configure = "from wecom.configs import default_config; default_config()"
    for command in (["migrate", "--verbosity", "0"], ["shell", "--no-imports", "-c", configure]):
        subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True)


def _turn(stage: Stage, web: Web, count: int) -> Turn:
    path = stage.folder / "requests"
    load.write_requests(path, distinct_requests(crypto(), count))
    before = cpu_seconds(web.process.pid)
    try:
        report = drive(web.port, CONNECTIONS, path)
    except RuntimeError as error:
        raise RuntimeError(f"{error}\n{web.process.output[-2000:]}") from None
    used = cpu_seconds(web.process.pid) - before
    return Turn(
        rate=report["requests"] / report["seconds"],
        cpu=used / count,
        p50=report["p50"],
        p99=report["p99"],
        generator=report["busy"],
    )


def drive(port: int, connections: int, path: Path) -> dict[str, float]:
    """Send the requests in ``path`` from a process of its own; its report."""
    command = [sys.executable, "-I", str(Path(load.__file__)), str(port), str(connections), str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"the load generator stopped: {answer.stderr}")
    report: dict[str, float] = json.loads(answer.stdout)
    return report


def _summary(turns: dict[str, list[Turn]]) -> str:
    return ", ".join(f"{name} {rows[-1].rate:.0f}/s {rows[-1].cpu * 1e6:.0f} µs" for name, rows in turns.items())


def _lines(vendor: str, turns: dict[str, list[Turn]]) -> Iterator[Line]:
    product, floor, naive = turns["product"], turns["floor"], turns["naive"]
    for against, rows, limit in (("floor", floor, 0.75), ("naive", naive, 3.0)):
        yield Line(
            f"intake {vendor}: requests/s against the {against}",
            f"{_median(rows, 'rate'):.0f}/s",
            f"{_median(product, 'rate'):.0f}/s",
            _ratio(product, rows, "rate"),
            "at least",
            limit,
        )
    yield Line(
        f"intake {vendor}: CPU per request",
        f"{_median(floor, 'cpu') * 1e6:.0f} µs",
        f"{_median(product, 'cpu') * 1e6:.0f} µs",
        _ratio(product, floor, "cpu"),
        "at most",
        1.5,
    )
    yield Line(
        f"intake {vendor}: p99",
        f"{_median(floor, 'p99') * 1e3:.1f} ms",
        f"{_median(product, 'p99') * 1e3:.1f} ms",
        _ratio(product, floor, "p99"),
        "at most",
        2.0,
    )
    busiest = max(turn.generator for rows in turns.values() for turn in rows)
    yield Line(f"intake {vendor}: load generator", "1 core", f"{busiest:.0%}", busiest, "at most", BUSIEST_GENERATOR)


def _median(turns: Sequence[Turn], name: str) -> float:
    return median(getattr(turn, name) for turn in turns)


def _ratio(turns: Sequence[Turn], others: Sequence[Turn], name: str) -> float:
    """The median of the ratios of neighbouring turns, which the drifting speed of the machine does not touch."""
    return median(getattr(turn, name) / getattr(other, name) for turn, other in zip(turns, others, strict=True))
