"""Callback intake: the product's view against the bare floor and against the naive way, on SQLite and PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack

from config.bench.events import crypto, distinct_requests
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.bench.turns import BUSIEST_GENERATOR, Turn, middle, ratio, summary, take_turn
from config.testing.processes import Web

SETTINGS = {
    "product": "config.settings",
    "floor": "config.bench.variants.floor_settings",
    "naive": "config.bench.variants.naive_settings",
}


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
            say(f"intake {vendor} {number + 1}/{plan.turns}: {summary(turns)}")
    return turns


def _make_tables(environment: dict[str, str]) -> None:
    configure = "from wecom.configs import default_config; default_config()"
    for command in (["migrate", "--verbosity", "0"], ["shell", "--no-imports", "-c", configure]):
        subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True)


def _turn(stage: Stage, web: Web, count: int) -> Turn:
    return take_turn(web, distinct_requests(crypto(), count), stage.folder / "requests")


def _lines(vendor: str, turns: dict[str, list[Turn]]) -> Iterator[Line]:
    product, floor, naive = turns["product"], turns["floor"], turns["naive"]
    for against, rows, limit in (("floor", floor, 0.75), ("naive", naive, 3.0)):
        yield Line(
            f"intake {vendor}: requests/s against the {against}",
            f"{middle(rows, 'rate'):.0f}/s",
            f"{middle(product, 'rate'):.0f}/s",
            ratio(product, rows, "rate"),
            "at least",
            limit,
        )
    yield Line(
        f"intake {vendor}: CPU per request",
        f"{middle(floor, 'cpu') * 1e6:.0f} µs",
        f"{middle(product, 'cpu') * 1e6:.0f} µs",
        ratio(product, floor, "cpu"),
        "at most",
        1.5,
    )
    yield Line(
        f"intake {vendor}: p99",
        f"{middle(floor, 'p99') * 1e3:.1f} ms",
        f"{middle(product, 'p99') * 1e3:.1f} ms",
        ratio(product, floor, "p99"),
        "at most",
        2.0,
    )
    busiest = max(turn.generator for rows in turns.values() for turn in rows)
    yield Line(f"intake {vendor}: load generator", "1 core", f"{busiest:.0%}", busiest, "at most", BUSIEST_GENERATOR)
