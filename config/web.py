"""The web server: ``python -m config.web --bind 127.0.0.1:8000``; WEB_CONCURRENCY sets the worker processes.

It is Granian, started from here and not by its own command: so a wrong setting is said once, by one process; its log
lines look like all others; and its workers run what was registered for their end, and end with their parent.
"""

from __future__ import annotations

import argparse
import atexit
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.util import Finalize
from typing import Any

from django.conf import settings
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from config.checks import refuse_to_start
from config.children import die_with_parent
from config.environment import Environment

THREADS = 8
"""Requests that a worker handles at once; the others wait. Each thread keeps a database connection."""
CONNECTIONS = 1000
"""Connections that a worker holds at once, idle ones included; further ones wait with the kernel."""
IDLE = 5
"""Seconds that a kept connection may be idle, and that a request's head may take."""
LARGEST_HEAD = 64 * 1024
STOP_WITHIN = 25
"""Seconds after SIGTERM in which requests are answered; then the worker is killed."""
KEEP_THREADS = 600
"""Seconds that a thread without work, and so its database connection, is kept: the longest that Granian offers."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM. Exit status 1, and one line about the reason, when it cannot."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    environment = Environment(os.environ)
    workers = environment.integer("WEB_CONCURRENCY", 1, least=1, most=64)
    refuse_to_start(environment.problems)
    parser = argparse.ArgumentParser(prog="config.web", description="Serves Quotebridge.")
    parser.add_argument("--bind", type=_address, default=("127.0.0.1", 8000), metavar="ADDRESS:PORT")
    parser.add_argument("--threads", type=int, default=THREADS, help="of each worker process")
    options = parser.parse_args(arguments)
    _stop_if_taken(*options.bind)
    _server(*options.bind, workers=workers, threads=options.threads).serve(
        target_loader=partial(_application, os.getpid()), wrap_loader=False
    )


def _address(text: str) -> tuple[str, int]:
    host, _colon, port = text.rpartition(":")
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be like 127.0.0.1:8000 or [::1]:8000") from error


def _stop_if_taken(host: str, port: int) -> None:
    """Granian's workers share their port (SO_REUSEPORT), with a second server too: each would get some requests."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(f"Quotebridge cannot start: it cannot listen on {host} port {port}: {error.strerror}.")


def _server(host: str, port: int, *, workers: int, threads: int) -> MPServer:
    return MPServer(
        "config.wsgi:application",
        host,
        port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=threads,
        blocking_threads_idle_timeout=KEEP_THREADS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE * 1000, max_buffer_size=LARGEST_HEAD),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN,
        log_level=LogLevels(settings.LOG_LEVEL.lower()),
        log_dictconfig=_log_config(),
    )


def _log_config() -> dict[str, Any]:
    """Granian has a handler of its own; its lines must look like all the others."""
    return {
        **settings.LOGGING,
        "filters": {"threads_are_meant": {"()": ThreadsAreMeant}},
        "loggers": {
            **settings.LOGGING["loggers"],
            "_granian": {"handlers": [], "propagate": True, "filters": ["threads_are_meant"]},
        },
    }


class ThreadsAreMeant(logging.Filter):
    """Granian warns of more than two threads a processor; ours wait for the database most of the time."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Configuration allows spawning")


def _application(server: int, /) -> Callable[..., Any]:
    """In a new worker process: what it serves. ``server``: the process that started it."""
    # killed, it would leave workers that go on answering, beside those of the server that is started next
    die_with_parent(signal.SIGTERM, server)
    # processes of multiprocessing leave by os._exit, which runs nothing that was registered with atexit
    Finalize(None, atexit._run_exitfuncs, exitpriority=0)
    from config.wsgi import application

    return application


if __name__ == "__main__":
    main()
