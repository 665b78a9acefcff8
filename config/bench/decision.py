"""One decision: how many statements it takes, and how fast it is against the same statements in raw SQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any

from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line

VENDORS = ("PostgreSQL", "SQLite")
PROGRAM = "import django; django.setup(); from config.bench.variants.decision import main; main()"


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    for vendor in VENDORS:
        environment = dict(os.environ)
        if vendor == "SQLite":
            environment["DATABASE_URL"] = f"sqlite:///{stage.folder / 'decision.sqlite3'}"
        for moment, took in _measure(environment, plan).items():
            yield from _lines(f"decision of {moment} on {vendor}", took, plan.decisions)


def _lines(name: str, took: dict[str, Any], decisions: int) -> Iterator[Line]:
    raw, product = (decisions / median(took[variant]) for variant in ("raw", "product"))
    ratio = median(floor / ours for floor, ours in zip(took["raw"], took["product"], strict=True))
    say(f"{name}: {took['statements']} statements, {product:.0f}/s, raw {raw:.0f}/s")
    count = took["statements"]
    yield Line(f"{name}: statements", "8 statements", f"{count} statements", count, "at most", 8, "")
    yield Line(f"{name}: against raw SQL", f"{raw:.0f}/s", f"{product:.0f}/s", ratio, "at least", 0.4)


def _measure(environment: dict[str, str], plan: Plan) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-c", PROGRAM, str(plan.turns), str(plan.decisions)]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"the bench of decisions stopped:\n{answer.stderr[-4000:]}")
    took: dict[str, dict[str, Any]] = json.loads(answer.stdout.splitlines()[-1])
    return took
