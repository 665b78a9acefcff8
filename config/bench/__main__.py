"""``python -m config.bench [NAME …] [--quick]``: prints one table; exit status 1 when a bar is missed."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time

from config.bench.plan import FULL, QUICK, say
from config.bench.stage import opened_stage
from config.bench.table import Line, markdown, missed

SCENARIOS = {
    "intake": "callbacks a second, CPU and p99 against a bare view and the naive way",
    "latency": "from POST to the quote's state at 50 events a second",
    "backlog": "draining stored events against one task per event; order; memory of the worker",
    "reconcile": "calls to WeCom with many approvals open",
    "sync": "a run over a project library against looking only, against naive saving; first load; memory",
    "directory": "a run over a company against looking only; first load; memory",
    "detail_read": "a customer's look at a project against FastAPI and a bare answer",
    "tokens": "gettoken calls of sixteen processes that need a token at once",
    "notices": "the rate of messages per member with 10,000 waiting",
    "metrics": "/metrics over a million inbox rows; /health/ready while Redis is frozen",
    "decision": "statements of one decision, and its speed against the same statements in raw SQL",
    "clicks": "from a press on a card until the last of twenty phones shows the result",
    "batch": "many approvals compared with WeCom by one action of the admin",
    "lists": "database queries of every list page, few rows against many",
}


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every server is stopped on the way out
    plan = QUICK if options.quick else FULL
    lines: list[Line] = []
    started = time.monotonic()
    with opened_stage() as stage:
        for name in options.names or SCENARIOS:
            say(f"--- {name}: {SCENARIOS[name]}")
            scenario = importlib.import_module(f"config.bench.{name}")  # after Django has been set up
            lines += scenario.run(stage, plan)
    print(markdown(lines))
    failures = missed(lines)
    print(f"\n{len(lines)} measurements in {time.monotonic() - started:.0f} s, {len(failures)} bars missed")
    return 1 if failures else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(f"{k}: {v}" for k, v in SCENARIOS.items()))
    parser.add_argument("--quick", action="store_true", help="a small version of everything, for a look in between")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in SCENARIOS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(SCENARIOS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
