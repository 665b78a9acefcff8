"""The memory that a command needs, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping


def peak_memory(environment: Mapping[str, str], *command: str) -> int:
    """Peak RSS in bytes of ``python command``. RuntimeError when it fails."""
    process = subprocess.Popen([sys.executable, *command], env=environment, stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return int(used.ru_maxrss) * 1024
