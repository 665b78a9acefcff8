"""The directory: a run over a company in which nothing has changed, against looking only; the first load; memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from config.bench.memory import peak_memory
from config.bench.plan import Plan, say
from config.bench.stage import ENVIRONMENT, Stage
from config.bench.table import Line
from config.children import free_port, port_answers
from config.testing.processes import wait_until

VISIBLE = 12
"""Members of the stand-in's own company, beside those made up."""
RAW = {"postgres": "COPY", "sqlite": "a raw multi-row insert"}


def run(stage: Stage, plan: Plan) -> Iterator[Line]:
    few, many = plan.members
    for vendor, raw in RAW.items():
        environment = _environment(stage, vendor, "many")
        with _company(stage, many) as url:
            took = _measure(environment | {"WECOM_API_BASE_URL": url}, plan.sync_turns)
            memory = {many: _memory(_environment(stage, vendor, "memory"), url)}
        with _company(stage, few) as url:
            memory[few] = _memory(_environment(stage, vendor, "memory"), url)
        _check(took, many)
        say(f"directory: {vendor}, {many} members: " + ", ".join(f"{k} {median(v):.4g}" for k, v in took.items()))
        yield Line(
            f"directory of {many} on {vendor}, nothing changed: against looking only",
            f"{median(took['floor']):.2f} s",
            f"{median(took['run']):.2f} s",
            _ratio(took, "run", "floor"),
            "at most",
            1.7,
        )
        yield Line(
            f"directory of {many} on {vendor}, first load: against {raw} of the same rows",
            f"{median(took['raw']):.2f} s",
            f"{median(took['load']):.2f} s",
            _ratio(took, "load", "raw"),
            "at most",
            3,
        )
        for word, bytes_few in memory[few].items():
            grown = (memory[many][word] - bytes_few) / (many - few)
            yield Line(
                f"directory on {vendor}, {word}: memory for each member",
                f"{bytes_few / 2**20:.0f} MB with {few}",
                f"{memory[many][word] / 2**20:.0f} MB with {many}",
                grown,
                "at most",
                400,
                "bytes",
            )


def _ratio(took: dict[str, list[float]], ours: str, theirs: str) -> float:
    return median(one / other for one, other in zip(took[ours], took[theirs], strict=True))


def _environment(stage: Stage, vendor: str, name: str) -> dict[str, str]:
    """A database of its own for SQLite; PostgreSQL's is emptied by whoever uses it."""
    environment = dict(os.environ)
    if vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{stage.folder / f'directory-{name}.sqlite3'}"
    return environment


def _memory(environment: dict[str, str], url: str) -> dict[str, int]:
    """Peak RSS in bytes of a first load and of a run that finds nothing new."""
    environment = environment | {"WECOM_API_BASE_URL": url}
    variant = ("-m", "config.bench.variants.directory")
    peak_memory(environment, *variant, "empty")
    return {name: peak_memory(environment, *variant, "once") for name in ("first load", "no change")}


def _check(took: dict[str, list[float]], count: int) -> None:
    """A bench of something that does not do its work is worth nothing."""
    if took["members"] != [count + VISIBLE] or any(took["written"]) or any(took["differing"]):
        raise RuntimeError(f"the directory is wrong: {took}")


@contextmanager
def _company(stage: Stage, size: int) -> Iterator[str]:
    """A stand-in with so many members and no limits."""
    port = free_port()
    command = [sys.executable, "manage.py", "wecom_standin", "--port", str(port), "--company-size", str(size)]
    command += ["--calls-per-minute", "0", "--database", str(stage.folder / f"company-{port}.sqlite3")]
    with subprocess.Popen(command, env=os.environ | ENVIRONMENT_OF_STANDIN, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: port_answers(port), 60, "the company answers")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


ENVIRONMENT_OF_STANDIN = {name: value for name, value in ENVIRONMENT.items() if name.startswith("WECOM_")}


def _measure(environment: dict[str, str], turns: int) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "config.bench.variants.directory", str(turns + 1)]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"the directory bench stopped:\n{answer.stderr[-4000:]}")
    took: dict[str, list[float]] = json.loads(answer.stdout.splitlines()[-1])
    return took
