"""Real processes for tests: started with an environment, waited for, frozen, killed, and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.db import connection
from redis import Redis, RedisError

from config.children import port_answers, signal_group, spawn
from config.embedded import valkey_command
from config.testing.ports import reserved_port

Result = TypeVar("Result")

GRACE = 10.0
"""Seconds that a process gets to end by itself."""


def wait_until(
    condition: Callable[[], Result | None], timeout: float = 30.0, message: str = "", interval: float = 0.02
) -> Result:
    """The first true value of ``condition()``; AssertionError with ``message`` after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {message or condition}")
        time.sleep(interval)


class Process:
    """One running command with its output in a file."""

    def __init__(self, name: str, command: Sequence[str | Path], *, env: Mapping[str, str], log: Path) -> None:
        self.name, self.command, self.env, self.log = name, list(command), dict(env), log
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        with self.log.open("ab") as out:
            self._popen = spawn(self.command, env=self.env, stdout=out, cwd=settings.BASE_DIR)
        return self

    @property
    def popen(self) -> subprocess.Popen[bytes]:
        assert self._popen is not None, f"{self.name} was not started"
        return self._popen

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def output(self) -> str:
        """Everything it has printed so far, over all its starts."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def wait_ready(self, condition: Callable[[], object], timeout: float = 30.0) -> Process:
        """Wait for ``condition``; fails at once, with the output, when the process ends first."""

        def ready() -> bool:
            if not self.running:
                raise AssertionError(f"{self.name} ended with {self.popen.returncode}:\n{self.output}")
            return bool(condition())

        try:
            wait_until(ready, timeout, f"{self.name} ready", interval=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n--- {self.name} ---\n{self.output[-4000:]}") from None
        return self

    def freeze(self) -> None:
        """Stop the whole group without ending it (SIGSTOP): sockets stay open and nobody answers."""
        signal_group(self.popen, signal.SIGSTOP)

    def thaw(self) -> None:
        signal_group(self.popen, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL for the whole group: no code of it runs any more."""
        if self._popen is not None:
            signal_group(self._popen, signal.SIGKILL)
            self._popen.wait(GRACE)

    def terminate(self, grace: float = GRACE) -> int:
        """SIGTERM, then SIGKILL after ``grace`` seconds; the exit status."""
        if self.running:
            self.thaw()
            self.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(grace)
        self.kill()
        return int(self.popen.returncode)


class Valkey(Process):
    """A Redis server of the test's own, to be stopped, started again (same port, same data) and frozen."""

    def __init__(self, directory: Path, *, databases: int = 16, durable: bool = True) -> None:
        self.port = reserved_port()
        command = valkey_command(port=self.port, directory=directory, databases=databases, durable=durable)
        super().__init__("valkey", command, env={}, log=directory / "valkey.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Valkey:
        super().start()
        self.wait_ready(self._answers)
        return self

    def _answers(self) -> bool:
        try:
            with Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            return False


def database_url() -> str:
    """DATABASE_URL of the database that this test uses."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    host = config["OPTIONS"].get("host") or config["HOST"]
    return f"postgresql://{config['USER']}@/{config['NAME']}?host={host}"


class Stack:
    """The processes of Quotebridge over the database of the current test (use ``transactional_db``).

    ``environment`` is what every process gets; change it before starting one. Web, worker, beat and stand-in may each
    be started more than once. Everything ends with the test.
    """

    def __init__(self, directory: Path, *, redis_url: str) -> None:
        self.directory = directory
        self.processes: list[Process] = []
        self.environment: dict[str, str] = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "ENV_FILE": "",
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": settings.SECRET_KEY,
            "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url,
            "DEBUG": "false",
            "HTTPS_ONLY": "false",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "VAR_DIR": str(directory / "var"),
        }

    def start(self, name: str, command: Sequence[str | Path], **env: str) -> Process:
        log = self.directory / f"{name}-{len(self.processes)}.log"
        process = Process(name, command, env={**self.environment, **env}, log=log)
        self.processes.append(process)
        process.start()
        return process

    def manage(self, *arguments: str, **env: str) -> Process:
        """``manage.py`` with ``arguments``, running in the background."""
        return self.start(arguments[0], [sys.executable, "manage.py", *arguments], **env)

    def web(self, *, port: int | None = None, workers: int = 1, threads: int = 8, **env: str) -> Web:
        """The web server as in production; returns when it answers."""
        port = port or reserved_port()
        command = [sys.executable, "-m", "config.web", "--bind", f"127.0.0.1:{port}", "--threads", str(threads)]
        process = self.start("web", command, WEB_CONCURRENCY=str(workers), **env)
        web = Web(process, f"http://127.0.0.1:{port}")
        web.process.wait_ready(lambda: answers(web.url + "/health"))
        return web

    def worker(self, *, concurrency: int = 1, wait: bool = True, **env: str) -> Process:
        """A Celery worker; with ``wait`` returns when it takes tasks."""
        command = [
            *(sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", str(concurrency)),
            *("--loglevel", "INFO", "--hostname", f"worker{len(self.processes)}@%h"),
        ]
        process = self.start("worker", command, **env)
        # the line of celery.apps.worker when the consumer is connected
        return process.wait_ready(lambda: " ready." in process.output) if wait else process

    def beat(self, *, wait: bool = True, **env: str) -> Process:
        process = self.start(
            "beat", [sys.executable, "-m", "celery", "-A", "config", "beat", "--loglevel", "INFO"], **env
        )
        return process.wait_ready(lambda: "beat: Starting" in process.output) if wait else process

    def standin(self, *, callback_url: str, port: int | None = None, **env: str) -> Web:
        """The WeCom stand-in. Its address goes into ``environment``, so start it before web and worker."""
        port = port or reserved_port()
        url = f"http://127.0.0.1:{port}"
        self.environment |= {"WECOM_API_BASE_URL": url, "WECOM_STANDIN_URL": url, "WECOM_CALLBACK_URL": callback_url}
        database = str(self.directory / "standin.sqlite3")
        standin = Web(self.manage("wecom_standin", "--port", str(port), "--database", database, **env), url)
        standin.process.wait_ready(lambda: answers(url + "/standin/health"))
        return standin

    def library(self, *, key: str, projects: int = 60) -> Web:
        """The project library's stand-in. Its address goes into ``environment``, so start it before web and worker."""
        port = reserved_port()
        url = f"http://127.0.0.1:{port}"
        self.environment |= {"REMOTE_API_BASE_URL": url, "REMOTE_API_KEY": key, "PROJECTS_STANDIN_URL": url}
        options = ("--port", str(port), "--database", str(self.directory / "library.sqlite3"))
        library = Web(self.manage("projects_standin", *options, "--projects", str(projects)), url)
        library.process.wait_ready(lambda: answers(url + "/standin/health"))
        return library

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()


class Web:
    """A server process and its address."""

    def __init__(self, process: Process, url: str) -> None:
        self.process, self.url = process, url

    @property
    def port(self) -> int:
        return int(urlsplit(self.url).port or 0)


def answers(url: str) -> bool:
    """True when something answers GET ``url`` with 200."""
    parts = urlsplit(url)
    if not port_answers(parts.port or 80, parts.hostname or ""):
        return False
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
