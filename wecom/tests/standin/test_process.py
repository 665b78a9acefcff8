"""``manage.py wecom_standin`` as a process: killed, started again, refused a port."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.conf import settings

from config.testing.ports import reserved_port
from config.testing.processes import Process
from wecom.tests.standin.conftest import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN, Receiver, Standin


def command(folder: Path, port: int, callback_url: str) -> list[str]:
    return [
        *(sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "wecom_standin", "--port", str(port)),
        *("--database", str(folder / "standin.sqlite3"), "--callback-url", callback_url, "--seed"),
        *("--corp-id", CORP_ID, "--secret", SECRET, "--agent-id", str(AGENT_ID)),
        *("--token", TOKEN, "--aes-key", AES_KEY),
    ]


@contextmanager
def running(folder: Path, port: int, callback_url: str) -> Iterator[Process]:
    environment = {"SECRET_KEY": "x" * 60, "DEBUG": "true", "VAR_DIR": str(folder)}
    process = Process("standin", command(folder, port, callback_url), env=environment, log=folder / "standin.log")
    process.start()
    try:
        yield process.wait_ready(lambda: answers(port))
    finally:
        process.kill()


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/standin/health", timeout=2).json() == {"status": "ok"}
    except requests.ConnectionError:
        return False


def test_everything_is_there_again_after_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    port = reserved_port()
    with running(tmp_path, port, receiver.url):
        standin = Standin(f"http://127.0.0.1:{port}")
        assert len(standin.get("approvals")["approvals"]) == 3  # the seed
        token = standin.gettoken()["access_token"]
        sp_no = standin.submit()
        receiver.wait_for(1)
        standin.fault("callback_delay", seconds=1.5, count=1)
        standin.act(sp_no, "agree")
        standin.fault("errcode", errcode=-1, endpoint="user/get")

    with running(tmp_path, port, receiver.url) as process:
        standin = Standin(f"http://127.0.0.1:{port}")
        assert standin.detail(sp_no)["sp_status"] == 2
        assert standin.call("user/get", token=token, userid="li.mei")["errcode"] == -1
        receiver.wait_for(2)  # the event that was on its way when the process died
        assert receiver.changes() == ["1", "2"]
        assert len(standin.get("approvals")["approvals"]) == 4  # not seeded again
        assert process.terminate() == 0


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {"SECRET_KEY": "x" * 60, "DEBUG": "true", "VAR_DIR": str(tmp_path)}
        process = Process("standin", command(tmp_path, port, ""), env=environment, log=tmp_path / "standin.log")
        process.start()
        assert process.popen.wait(30) == 1
    assert f"CommandError: Cannot listen on 127.0.0.1:{port}: Address already in use." in process.output
    assert "Traceback" not in process.output
