"""The memory that a command needs, in a process of its own.

The process tells its peak itself: what ``wait4`` tells of it is never less than what this one used when it started it.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

MARK = "peak memory in kB:"


def peak_memory(environment: Mapping[str, str], *command: str) -> int:
    """Peak RSS in bytes of ``python command`` (a file, or ``-m`` and a module, and arguments).

    RuntimeError when it fails.
    """
    answer = subprocess.run(
        [sys.executable, "-m", "config.bench.memory", *command],
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    last = answer.stdout.splitlines()[-1:]
    if answer.returncode or not last or not last[0].startswith(MARK):
        raise RuntimeError(f"{command} ended with {answer.returncode}")
    return int(last[0].removeprefix(MARK)) * 1024


def main() -> None:
    """Run what the arguments say as if it were the program, then print the peak."""
    if sys.argv[1] == "-m":
        module = sys.argv[2]
        sys.argv = sys.argv[2:]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.argv = sys.argv[1:]
        runpy.run_path(sys.argv[0], run_name="__main__")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    print(f"\n{MARK} {peak}")


if __name__ == "__main__":
    main()
