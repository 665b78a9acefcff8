"""The mirror: a run over a library of which 1 % has changed, against looking only and against one save per project;
the first load; queries and memory as the library grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import requests

from config.bench.memory import peak_memory
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.bench.variants.mirror import SIZE, SLUG
from config.children import free_port, port_answers
from config.testing.processes import wait_until

NAIVE_BARS = {"postgres": 20, "sqlite": 7}
LOOKED_AT = 2_000
"""Projects that the naive variant is given; the rest of its time is reckoned."""


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    for vendor in NAIVE_BARS:
        measured: dict[int, dict[str, list[float]]] = {}
        memory: dict[int, float] = {}
        for count in plan.projects:
            environment = _environment(stage, vendor, count)
            with _library(count) as url:
                measured[count] = took = _measure(url, plan, environment)
                memory[count] = _memory(url, environment)
            _check(took, count)
            say(f"sync: {vendor}, {count} projects: " + ", ".join(f"{k} {median(v):.4g}" for k, v in took.items()))
            yield from _lines(f"sync {count} on {vendor}, 1 % changed", vendor, count, took)
        yield from _growth(vendor, measured, memory)


def _lines(name: str, vendor: str, count: int, took: dict[str, list[float]]) -> Iterator[Line]:
    floor, product, naive = median(took["floor"]), median(took["product"]), median(took["naive"]) * count
    yield Line(
        f"{name}: against looking only",
        f"{floor:.2f} s",
        f"{product:.2f} s",
        _ratio(took, "product", "floor"),
        "at most",
        1.7,
    )
    yield Line(
        f"{name}: against one save per project",
        f"{naive:.1f} s",
        f"{product:.2f} s",
        median(slow * count / fast for slow, fast in zip(took["naive"], took["product"], strict=True)),
        "at least",
        NAIVE_BARS[vendor],
    )
    load, raw = median(took["first load"]), median(took["raw upsert"])
    yield Line(
        f"first load of {count} on {vendor}: against a raw upsert",
        f"{raw:.2f} s",
        f"{load:.2f} s",
        _ratio(took, "first load", "raw upsert"),
        "at most",
        3,
    )


def _growth(vendor: str, measured: dict[int, dict[str, list[float]]], memory: dict[int, float]) -> Iterator[Line]:
    few, many = min(measured), max(measured)
    per_page = {count: median(took["queries"]) / (count / SIZE) for count, took in measured.items()}
    yield Line(
        f"sync on {vendor}: queries per page",
        f"{per_page[few]:.1f} with {few}",
        f"{per_page[many]:.1f} with {many}",
        per_page[many] / per_page[few],
        "at most",
        1,
    )
    yield Line(
        f"sync on {vendor}: peak memory from {few} to {many}",
        f"{memory[few]:.0f} MB",
        f"{memory[many]:.0f} MB",
        memory[many] - memory[few],
        "at most",
        25,
        "MB",
    )


def _ratio(took: dict[str, list[float]], ours: str, theirs: str) -> float:
    """The median of the ratios of neighbouring turns, which the drifting speed of the machine does not touch."""
    return median(one / other for one, other in zip(took[ours], took[theirs], strict=True))


def _environment(stage: Stage, vendor: str, count: int) -> dict[str, str]:
    """A database of its own for SQLite; PostgreSQL's is emptied by whoever uses it."""
    environment = dict(os.environ)
    if vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{stage.folder / f'mirror-{count}.sqlite3'}"
    return environment


@contextmanager
def _library(count: int) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "config.bench.variants.library", str(port), str(count), str(SIZE)]
    with subprocess.Popen(command) as process:
        try:
            wait_until(lambda: port_answers(port), 60, "the library answers")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _measure(url: str, plan: Plan, environment: dict[str, str]) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "config.bench.variants.mirror", url, str(plan.sync_turns), str(LOOKED_AT)]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"the sync bench stopped:\n{answer.stderr[-4000:]}")
    took: dict[str, list[float]] = json.loads(answer.stdout.splitlines()[-1])
    return took


def _memory(url: str, environment: dict[str, str]) -> float:
    """Peak RSS in MB of ``manage.py sync_projects`` in a process of its own."""
    requests.post(f"{url}/change/7", timeout=60)
    return peak_memory(environment, "manage.py", "sync_projects", "--source", SLUG) / 2**20


def _check(took: dict[str, list[float]], count: int) -> None:
    """A bench of something that does not do its work is worth nothing."""
    if set(took["changed"]) | set(took["differing"]) != {count // 100} or took["copies"] != [count]:
        raise RuntimeError(f"the mirror is wrong: {took}")
