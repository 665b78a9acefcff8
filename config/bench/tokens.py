"""Access tokens: how often WeCom is asked for one when sixteen processes need it at the same moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import requests

from config.bench.control import post
from config.bench.plan import Plan, say
from config.bench.stage import Stage
from config.bench.table import Line
from config.children import free_port

PROCESSES = 16
SLOW = 0.5
"""Seconds that gettoken takes: long enough for all of them to find that there is no token."""

Child = subprocess.Popen[str]


def run(stage: Stage, _plan: Plan) -> Iterator[Line]:
    with stage.stack("tokens") as stack, ExitStack() as cleanups:
        url = stack.standin(callback_url=f"http://127.0.0.1:{free_port()}/wecom/callback").url
        post(url, "faults", kind="slow", endpoint="gettoken", seconds=SLOW)
        children = [_child(stack.environment, cleanups) for _number in range(PROCESSES)]
        _await(children, "ready")
        yield _line("have none", url, children)
        post(url, "tokens/end", state="invalid")
        yield _line("see theirs refused", url, children)


def _line(moment: str, url: str, children: Sequence[Child]) -> Line:
    """All make a call at once."""
    before = _asked(url)
    for child in children:
        print("go", file=child.stdin, flush=True)
    _await(children, "done")
    asked = _asked(url) - before
    say(f"tokens: {PROCESSES} processes that {moment}: {asked} gettoken")
    return Line(f"gettoken for {PROCESSES} processes that {moment}", "1 call", str(asked), asked, "at most", 1)


def _await(children: Sequence[Child], word: str) -> None:
    for child in children:
        said = child.stdout.readline().strip() if child.stdout else ""
        if said != word:
            raise RuntimeError(f"a process said {said!r} instead of {word!r}; its error stands above")


def _asked(url: str) -> int:
    return int(requests.get(f"{url}/standin/api/stats", timeout=60).json()["gettoken"])


def _child(environment: Mapping[str, str], cleanups: ExitStack) -> Child:
    command = [sys.executable, "-m", "config.bench.variants.token"]
    quiet = {**environment, "LOG_LEVEL": "ERROR"}
    child = subprocess.Popen(command, env=quiet, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    cleanups.callback(child.wait)
    cleanups.callback(child.kill)
    return child
