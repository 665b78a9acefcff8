"""``manage.py projects_standin`` as a process: killed, started again, without a key, refused a port."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from config.testing.ports import reserved_port
from config.testing.processes import Process, answers
from projects.tests.library import KEY, Library


def process(folder: Path, port: int, *options: str) -> Process:
    command = [
        *(sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "projects_standin", "--port", str(port)),
        *("--database", str(folder / "library.sqlite3"), *options),
    ]
    environment = {"SECRET_KEY": "x" * 60, "DEBUG": "true", "VAR_DIR": str(folder), "ENV_FILE": ""}
    return Process("library", command, env=environment, log=folder / "library.log").start()


@contextmanager
def running(folder: Path, port: int) -> Iterator[Process]:
    running = process(folder, port, "--key", KEY, "--projects", "9")
    try:
        yield running.wait_ready(lambda: answers(f"http://127.0.0.1:{port}/standin/health"))
    finally:
        running.kill()


def test_everything_is_there_again_after_a_kill(tmp_path: Path) -> None:
    port = reserved_port()
    library = Library(f"http://127.0.0.1:{port}")
    with running(tmp_path, port):
        assert library.page()["total"] == 9
        library.post("projects/PS-000003", title="改过的")
        library.fault("unauthorised", endpoint="list")

    library.session.close()
    with running(tmp_path, port) as again:
        assert library.ask("projects/PS-000003").json()["title"] == "改过的"
        assert library.ask().status_code == 401
        assert again.terminate() == 0


def test_without_a_key_it_says_so(tmp_path: Path) -> None:
    refused = process(tmp_path, reserved_port())
    assert refused.popen.wait(30) == 1
    assert "CommandError: Set REMOTE_API_KEY or give --key; see --help." in refused.output


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = process(tmp_path, port, "--key", KEY)
        assert refused.popen.wait(30) == 1
    assert f"CommandError: Cannot listen on 127.0.0.1:{port}: Address already in use." in refused.output
    assert "Traceback" not in refused.output
