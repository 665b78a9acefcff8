"""A process runner for one machine: starts parts in order, shows their logs with a name in front, ends them in reverse.

Made for ``manage.py demo``. Each part has a readiness test; the next one starts only when it holds. When a part ends
by itself, or somebody presses Ctrl-C, everything ends: last started first, so that a worker can still reach its
broker while it finishes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from config.children import signal_group, spawn

GRACE = 30.0
"""Seconds that a part gets to finish what it does."""
POLL = 0.05
COLOURS = (36, 32, 33, 35, 34, 96)


class PartFailed(Exception):
    """A part ended or did not become ready; the message names it."""


class Stopped(Exception):
    """Somebody asked for the end."""


@dataclass(slots=True)
class Part:
    """One process. ``ready`` is asked until it is true; ``once`` parts must end with status 0 to be ready."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    once: bool = False
    patience: float = 60.0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    lines: list[str] = field(default_factory=list, init=False)
    """What it printed; kept for ``once`` parts only."""


class Runner:
    """``start()`` parts, ``wait()`` until something ends, ``stop()``. Use from the main thread."""

    def __init__(self, environment: Mapping[str, str], *, cwd: Path, out: IO[str] = sys.stdout) -> None:
        self._environment, self._cwd, self._out = dict(environment), cwd, out
        self._parts: list[Part] = []
        self._printing = threading.Lock()
        self._stopping = False
        self._colour = out.isatty()

    def __enter__(self) -> Runner:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:  # a second Ctrl-C: no more patience
            for part in self._parts:
                if part.process is not None:
                    signal_group(part.process, signal.SIGKILL)
            return
        self._stopping = True
        raise Stopped

    def start(self, *parts: Part) -> None:
        """Start all ``parts`` and return when all are ready. Raises PartFailed."""
        for part in parts:
            self._parts.append(part)
            part.process = spawn(part.command, env=self._environment, stdout=subprocess.PIPE, cwd=self._cwd)
            threading.Thread(target=self._show, args=(part,), daemon=True).start()
        for part in parts:
            self._wait_ready(part)

    def _wait_ready(self, part: Part) -> None:
        deadline = time.monotonic() + part.patience
        while True:
            status = self._status(part)
            if part.once and status == 0:
                return
            if status is not None:
                raise PartFailed(f"{part.name} ended with status {status}; its lines above say why.")
            if not part.once and part.ready():
                return
            if time.monotonic() > deadline:
                raise PartFailed(f"{part.name} was not ready within {part.patience:.0f} s.")
            time.sleep(POLL)

    def wait(self) -> None:
        """Until a part ends (PartFailed) or a signal arrives (Stopped)."""
        while True:
            for part in self._parts:
                status = self._status(part)
                if not part.once and status is not None:
                    raise PartFailed(f"{part.name} ended with status {status}.")
            time.sleep(0.2)

    def stop(self) -> None:
        """End every part, last started first; kills what is not gone after the grace."""
        self._stopping = True
        for part in reversed(self._parts):
            if part.process is None:
                continue
            if part.process.poll() is None:
                part.process.terminate()
                try:
                    part.process.wait(GRACE)
                except subprocess.TimeoutExpired:
                    self.say(f"{part.name} did not end within {GRACE:.0f} s; killed.")
            signal_group(part.process, signal.SIGKILL)  # whatever it may have left behind
            part.process.wait()

    def say(self, text: str) -> None:
        """One line of the runner's own."""
        self._print("demo", text, "1")

    @staticmethod
    def _status(part: Part) -> int | None:
        return part.process.poll() if part.process is not None else None

    def _show(self, part: Part) -> None:
        colour = str(COLOURS[self._parts.index(part) % len(COLOURS)])
        output = part.process.stdout if part.process else None
        for raw in output or ():
            line = raw.decode("utf-8", "replace").rstrip()
            if part.once:
                part.lines.append(line)
            if line:
                self._print(part.name, line, colour)

    def _print(self, name: str, line: str, colour: str) -> None:
        prefix = f"{name:<8} │ "
        if self._colour:
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        with self._printing:
            self._out.write(f"{prefix}{line}\n")
            self._out.flush()
