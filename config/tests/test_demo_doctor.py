"""The demo as ``make demo`` starts it, and the doctor in another terminal: everything is in working order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from config.testing.processes import Process, wait_until
from config.tests.test_runner import quiet_port

pytestmark = pytest.mark.slow
PROGRAM = """
import sys
from pathlib import Path
import django
django.setup()
from config import demo
root = Path(sys.argv[1])
demo.run(root, root / "var", int(sys.argv[2]), sys.stdout)
"""
READY = "Quotebridge is ready."
LONGEST = 240.0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    """In a folder of its own: the .env and the data of whoever runs the tests stay as they are."""
    (tmp_path / "manage.py").symlink_to(settings.BASE_DIR / "manage.py")
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "ENV_FILE": str(tmp_path / ".env"),
        "PYTHONPATH": str(settings.BASE_DIR),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LANGUAGE_CODE": "en",
    }
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(quiet_port())]
    process = Process("demo", command, env=environment, log=tmp_path / "demo.log").start()
    yield process.wait_ready(lambda: READY in process.output, LONGEST)
    process.terminate(grace=30)


def test_the_doctor_is_content_with_the_demo(demo: Process) -> None:
    doctor = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--no-color"],
        cwd=settings.BASE_DIR, env=demo.env, capture_output=True, text=True, check=False, timeout=LONGEST,
    )  # fmt: skip
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "FAILED" not in doctor.stdout
    assert "Everything is in working order." in doctor.stdout
    wait_until(lambda: demo.running, 1, "the demo goes on")
