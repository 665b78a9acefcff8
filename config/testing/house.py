"""One running Quotebridge for a test: web, workers, beat and a Valkey of its own, over a database of its own."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Self

import requests
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from redis import Redis

from config.testing.database import Database
from config.testing.ports import reserved_port
from config.testing.processes import Process, Stack, Valkey, Web


class House:
    """Starts its Valkey; an app's house adds people and what is next door; ``open`` starts the rest."""

    def __init__(self, directory: Path, database: Database) -> None:
        self.directory, self.database = directory, database
        self.valkey = Valkey(directory / "valkey").start()
        with database.opened():
            self.stack = Stack(directory, redis_url=self.valkey.url)
        self.port = reserved_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.stack.environment["API_BASE_URL"] = self.url
        self.web: Web | None = None
        self.workers: list[Process] = []
        self.beat: Process | None = None

    def open(self, *, web: int = 1, workers: int = 1, beat: bool = False) -> Self:
        """Start the parts, ``web`` and ``workers`` being numbers of processes, and wait until they work."""
        self.start_web(web)
        if workers:
            self.start_worker(workers)
        if beat:
            self.start_beat()
        return self

    def start_web(self, processes: int = 1) -> Web:
        self.web = self.stack.web(port=self.port, workers=processes)
        return self.web

    def start_worker(self, processes: int = 1, *, wait: bool = True) -> Process:
        worker = self.stack.worker(concurrency=processes, wait=wait)
        self.workers.append(worker)
        return worker

    def start_beat(self, *, wait: bool = True) -> Process:
        self.beat = self.stack.beat(wait=wait)
        return self.beat

    def ready(self) -> tuple[bool, dict[str, Any], float]:
        """``/health/ready``: whether it says 200, its parts, and the seconds it took."""
        started = time.monotonic()
        response = requests.get(f"{self.url}/health/ready", timeout=10)
        return response.status_code == 200, response.json()["parts"], time.monotonic() - started

    def redis(self) -> Redis:
        """A client of the house's Valkey; texts come as texts."""
        return Redis.from_url(self.valkey.url, decode_responses=True)

    def manage(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end; its exit status and what it printed. ``LANG`` is English."""
        process = self.stack.start(
            arguments[0], [sys.executable, "manage.py", *arguments], LANGUAGE_CODE="en", NO_COLOR="1"
        )
        return process.popen.wait(60), process.output

    def reschedule(self, name: str, seconds: int) -> None:
        """Set a schedule's interval as the admin form does: by saving the row."""
        with self.database.opened():
            interval, _created = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
            row = PeriodicTask.objects.get(name=name)
            row.interval, row.crontab = interval, None
            row.save()

    def logs(self) -> dict[str, str]:
        """What every process has printed, by the file's name."""
        return {path.name: path.read_text(errors="replace") for path in sorted(self.directory.glob("*.log"))}

    def secrets(self) -> dict[str, str]:
        """What must not be read anywhere: name → value."""
        names = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS")
        return {name: self.stack.environment[name] for name in names}

    def leaks(self) -> list[str]:
        """Where a secret stands in a log."""
        secrets = self.secrets()
        return [
            f"{name} in {file}"
            for file, text in self.logs().items()
            for name, value in secrets.items()
            if value in text
        ]

    def close(self) -> None:
        for process in self.stack.processes:
            process.thaw()
        self.stack.close()
        self.valkey.thaw()
        self.valkey.kill()
        self.database.drop()

    def finish(self) -> None:
        """End everything; fails if a secret was logged."""
        leaks = self.leaks()
        self.close()
        assert leaks == []
