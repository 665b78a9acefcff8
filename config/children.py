"""Child processes that cannot outlive us, and the ports they listen on."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    stdout: IO[Any] | int,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a process group of its own, both outputs to ``stdout``.

    The kernel kills it when the thread that called this ends, however it ends: call from the main thread.
    """
    parent = os.getpid()
    return subprocess.Popen(  # noqa: S603 - our own commands
        [str(part) for part in command],
        env=None if env is None else dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),  # noqa: PLW1509 - no other way to reach prctl; runs two system calls
    )


def die_with_parent(number: int, parent: int) -> None:
    """From now on the kernel sends this process the signal ``number`` when the thread that started it ends, however it
    ends. ``parent``: the process of that thread."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal the process and everything it started; a group that is gone already is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def port_answers(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0
