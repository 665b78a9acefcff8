"""The process runner: order, readable logs, an end for everything however it comes; and the demo's own files."""

from __future__ import annotations

import io
import os
import random
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from config import demo
from config.children import port_is_free
from config.environment import Environment
from config.runner import Part, PartFailed, Runner
from config.testing.processes import Process, wait_until

PYTHON = sys.executable
STAY = "import signal; print('up', flush=True); signal.pause()"


def part(name: str, code: str, *, once: bool = False, **options: object) -> Part:
    return Part(name, [PYTHON, "-c", code], once=once, **options)  # type: ignore[arg-type]


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_parts_start_in_order_and_show_their_name(out: io.StringIO, tmp_path: Path):
    marker = tmp_path / "first-was-here"
    with Runner(os.environ, cwd=tmp_path, out=out) as runner:
        first = part("first", f"open({str(marker)!r}, 'w')", once=True)
        runner.start(first)
        runner.start(part("second", f"import os; print('sees', os.path.exists({str(marker)!r}))", once=True))
        wait_until(lambda: "second   │ sees True" in out.getvalue())


def test_a_part_that_fails_is_named(out: io.StringIO, tmp_path: Path):
    with (
        Runner(os.environ, cwd=tmp_path, out=out) as runner,
        pytest.raises(PartFailed, match="seed ended with status 3"),
    ):
        runner.start(part("seed", "raise SystemExit(3)", once=True))


def test_a_part_that_never_gets_ready_is_named(out: io.StringIO, tmp_path: Path):
    with Runner(os.environ, cwd=tmp_path, out=out) as runner, pytest.raises(PartFailed, match="web was not ready"):
        runner.start(part("web", STAY, ready=lambda: False, patience=0.2))
    assert not alive(runner._parts[0])


def alive(running: Part) -> bool:
    return running.process is not None and running.process.poll() is None


def test_when_one_part_dies_everything_ends(out: io.StringIO, tmp_path: Path):
    with Runner(os.environ, cwd=tmp_path, out=out) as runner:
        runner.start(part("stays", STAY), part("dies", STAY))
        dying = runner._parts[1].process
        assert dying is not None
        dying.kill()
        with pytest.raises(PartFailed, match="dies ended"):
            runner.wait()
    assert not any(map(alive, runner._parts))


PROGRAM = """
import os, sys
from pathlib import Path
from config.runner import Part, Runner, Stopped
code = '''
import os, signal, sys
name = sys.argv[1]
def end(*_):
    print("ending", name, flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("pid", name, os.getpid(), flush=True)
while True:
    signal.pause()
'''
try:
    with Runner(os.environ, cwd=Path.cwd()) as runner:
        for name in ("broker", "worker"):
            runner.start(Part(name, [sys.executable, "-c", code, name]))
        print("all started", flush=True)
        runner.wait()
except Stopped:
    print("stopped")
"""


@pytest.fixture
def program(tmp_path: Path):
    process = Process("runner", [PYTHON, "-c", PROGRAM], env=dict(os.environ), log=tmp_path / "log").start()
    process.wait_ready(lambda: len(re.findall(r"pid \w+ \d+", process.output)) == 2)
    yield process
    process.kill()


def children(program: Process) -> list[int]:
    return [int(pid) for pid in re.findall(r"pid \w+ (\d+)", program.output)]


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in ("Z", "X")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_parts_last_started_first(program: Process, number: signal.Signals):
    os.kill(program.pid, number)
    wait_until(lambda: not program.running)
    assert re.findall(r"ending (\w+)", program.output) == ["worker", "broker"]
    assert "stopped" in program.output
    assert all(map(gone, children(program)))


def test_a_killed_runner_leaves_no_orphan(program: Process):
    pids = children(program)
    os.kill(program.pid, signal.SIGKILL)
    wait_until(lambda: all(map(gone, pids)), message="children gone")


def quiet_port() -> int:
    """A free port whose 91st neighbour is free too, below those that the system gives to other tests meanwhile."""
    candidates = random.sample(range(10_000, 30_000), 100)
    return next(port for port in candidates if port_is_free(port) and port_is_free(port + 91))


class TestDemo:
    def test_the_env_it_writes_is_complete_private_and_different_each_time(self, tmp_path: Path):
        addresses = demo.Addresses(8000, 8091, 8092, 8093)
        texts = []
        for name in ("one", "two"):
            file = tmp_path / name
            demo.write_env(file, addresses, tmp_path)
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            texts.append(file.read_text())
        assert texts[0] != texts[1]
        result = subprocess.run(
            [PYTHON, "manage.py", "check"],
            cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
            env={"PATH": os.environ["PATH"], "ENV_FILE": str(tmp_path / "one"), "VAR_DIR": str(tmp_path)},
        )  # fmt: skip
        assert (result.returncode, result.stderr) == (0, "")

    def test_an_env_that_exists_is_never_overwritten(self, tmp_path: Path):
        (tmp_path / ".env").write_text("SECRET_KEY=mine\n")
        with pytest.raises(FileExistsError):
            demo.write_env(tmp_path / ".env", demo.Addresses(1, 2, 3, 4), tmp_path)
        assert (tmp_path / ".env").read_text() == "SECRET_KEY=mine\n"

    def test_an_env_of_an_older_demo_learns_what_is_new_and_keeps_the_rest(self, tmp_path: Path):
        file, addresses = tmp_path / ".env", demo.Addresses(1, 2, 3, 4)
        demo.write_env(file, addresses, tmp_path)
        whole = file.read_text().splitlines()
        older = [line for line in whole if not line.startswith(("REMOTE_", "PROJECTS_"))]
        file.write_text("\n".join(older) + "\n")
        demo.complete_env(file, demo.Addresses(9, 9, 9, 4), tmp_path)
        assert file.read_text().splitlines() == whole
        demo.complete_env(file, addresses, tmp_path)
        assert file.read_text().splitlines() == whole

    def test_an_env_that_somebody_wrote_is_left_alone(self, tmp_path: Path):
        file = tmp_path / ".env"
        file.write_text("SECRET_KEY=mine\n")
        demo.complete_env(file, demo.Addresses(1, 2, 3, 4), tmp_path)
        assert file.read_text() == "SECRET_KEY=mine\n"

    def test_the_credentials_have_the_form_wecom_uses(self):
        values = demo.fresh_secrets()
        env = Environment(values)
        assert env.aes_key("WECOM_ENCODING_AES_KEY").isalnum()
        assert env.keys("FIELD_ENCRYPTION_KEYS", length=32, hint="", placeholder="")
        assert values["WECOM_CALLBACK_TOKEN"].isalnum()
        assert env.problems == []

    def test_data_of_an_env_that_is_gone_is_set_aside(self, tmp_path: Path):
        (tmp_path / demo.DATABASE).write_text("sealed with keys that are gone")
        demo.set_old_data_aside(tmp_path)
        assert [file.name for file in tmp_path.iterdir()] == [f"{demo.DATABASE}.old"]

    def test_a_taken_port_is_said_in_one_line(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            assert not port_is_free(port)
            result = subprocess.run(
                [PYTHON, "manage.py", "demo", "--port", str(port)],
                cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
            )  # fmt: skip
        assert result.returncode == 1
        assert f"Port {port} is taken. Choose another one: make demo PORT={port + 1}" in result.stderr
        assert len(result.stderr.splitlines()) == 1

    def test_a_taken_neighbour_is_replaced(self):
        port = quiet_port()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port + 91))
            taken.listen()
            addresses = demo.Addresses.for_port(port)
        assert addresses.web == port
        assert addresses.standin != port + 91
        assert addresses.settings(Path("/v"))["WECOM_API_BASE_URL"] == f"http://127.0.0.1:{addresses.standin}"

    def test_a_second_demo_in_the_same_folder_is_refused(self, tmp_path: Path):
        with demo.lock(tmp_path), pytest.raises(demo.CannotStart, match="running already"):
            demo.lock(tmp_path)

    @pytest.mark.parametrize(("language", "said"), [("zh-hans", "按 Ctrl-C"), ("en", "Ctrl-C ends everything.")])
    def test_its_welcome_is_in_one_language(self, language: str, said: str):
        out = io.StringIO()
        with translation.override(language):
            demo._welcome(out, demo.Addresses(8000, 8091, 8092, 8093), [])
        assert said in out.getvalue()
        assert "http://localhost:8000/admin/" in out.getvalue()
        assert "http://127.0.0.1:8093/" in out.getvalue()
        assert ("ready" in out.getvalue()) == (language == "en")

    def test_its_worker_does_not_complain_about_root(self):
        code = (
            "import os; os.getuid = os.geteuid = os.getgid = os.getegid = lambda: 0\n"
            "from celery.platforms import check_privileges; check_privileges(['json'])"
        )
        said = [
            subprocess.run([PYTHON, *options, "-c", code], capture_output=True, text=True, check=True).stderr
            for options in ((), demo.NO_WORD_ABOUT_ROOT)
        ]
        assert ["superuser privileges" in text for text in said] == [True, False]
