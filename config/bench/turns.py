"""One turn of one variant at the load generator, and how the turns of two variants are compared."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from config.bench import load
from config.bench.accounting import cpu_seconds
from config.testing.processes import Web

CONNECTIONS = 8
BUSIEST_GENERATOR = 0.7
"""Share of one core; beyond it the generator would be what is measured."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one variant. Times in seconds, ``cpu`` of the web server's processes per request."""

    rate: float
    cpu: float
    p50: float
    p99: float
    generator: float


def take_turn(web: Web, requests: Iterable[bytes], path: Path, *, expected: str = load.EXPECTED) -> Turn:
    """Send ``requests`` (through the file ``path``) and measure. Every answer must begin with ``expected``."""
    load.write_requests(path, requests)
    before = cpu_seconds(web.process.pid)
    try:
        report = drive(web.port, CONNECTIONS, path, expected)
    except RuntimeError as error:
        raise RuntimeError(f"{error}\n{web.process.output[-2000:]}") from None
    used = cpu_seconds(web.process.pid) - before
    return Turn(
        rate=report["requests"] / report["seconds"],
        cpu=used / report["requests"],
        p50=report["p50"],
        p99=report["p99"],
        generator=report["busy"],
    )


def drive(port: int, connections: int, path: Path, expected: str = load.EXPECTED) -> dict[str, float]:
    """Send the requests in ``path`` from a process of its own; its report."""
    command = [sys.executable, "-I", str(Path(load.__file__)), str(port), str(connections), str(path), expected]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"the load generator stopped: {answer.stderr}")
    report: dict[str, float] = json.loads(answer.stdout)
    return report


def summary(turns: Mapping[str, Sequence[Turn]]) -> str:
    return ", ".join(f"{name} {rows[-1].rate:.0f}/s {rows[-1].cpu * 1e6:.0f} µs" for name, rows in turns.items())


def middle(turns: Sequence[Turn], name: str) -> float:
    return median(getattr(turn, name) for turn in turns)


def ratio(turns: Sequence[Turn], others: Sequence[Turn], name: str) -> float:
    """The median of the ratios of neighbouring turns, which the drifting speed of the machine does not touch."""
    return median(getattr(turn, name) / getattr(other, name) for turn, other in zip(turns, others, strict=True))
