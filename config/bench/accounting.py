"""What a process and its children have used: CPU seconds and memory."""

from __future__ import annotations

import psutil


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and its living descendants, since they started."""
    times = [process.cpu_times() for process in _family(pid)]
    return sum(time.user + time.system for time in times)


def resident_bytes(pid: int) -> int:
    """Resident memory (RSS) of the living descendants of a process: of a Celery worker, those that run the tasks."""
    return sum(process.memory_info().rss for process in _family(pid)[1:])
