"""Cache first; refreshed once for all who look; the copy whenever the library cannot say better."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects import asking, refresh
from projects.models import ProjectCache, ProjectStatusChange, ProjectSyncConfig, RemoteSource, TimeDisplayConfig
from projects.tests.access.conftest import ITEM, TTL, Read, confirmed
from projects.tokens import Issued
from wecom.tests.peers import Close, Drip, Half, Hang, Peer, Raw, refused_url

pytestmark = pytest.mark.django_db
OLD = TTL + timedelta(minutes=5)
NEWS = ITEM | {"status": "shipped"}


def asked(library: Peer) -> int:
    return len(library.calls("/projects/P-1001"))


def test_a_current_copy_is_answered_with_one_query_and_no_question(link: Issued, read: Read, library: Peer) -> None:
    read(link.token)  # PostgreSQL plans the statement, and the display's row is made
    with CaptureQueriesContext(connection) as queries:
        answer = read(link.token)
    assert len(queries) == 1
    assert asked(library) == 0
    body = answer.json()
    assert body["from_cache"] is True
    assert body["stale"] is False
    assert body["cache_time"] == "just now"
    assert body["project"] == {
        "id": "P-1001",
        "type": "aftersales",
        "title": "主轴更换",
        "status": "processing",
        "customer_name": "杭州精密机械",
        "phone": "138****8888",
        "updated_at": "2026-01-05 08:30",
        "stakeholders": [{"role": "engineer", "name": "张伟"}],
        "device": "CNC-7",
    }


def test_a_role_that_may_see_numbers_costs_a_second_query(engineers_link: Issued, read: Read) -> None:
    read(engineers_link.token)
    with CaptureQueriesContext(connection) as queries:
        answer = read(engineers_link.token)
    assert len(queries) == 2
    assert answer.json()["project"]["phone"] == "13812348888"


def test_which_roles_see_numbers_is_configured(link: Issued, engineers_link: Issued, read: Read) -> None:
    config = ProjectSyncConfig.load()
    config.phone_visible_to = ["customer"]
    config.save()
    assert read(link.token).json()["project"]["phone"] == "13812348888"
    assert read(engineers_link.token).json()["project"]["phone"] == "138****8888"


def test_another_time_format_shows_at_once(link: Issued, read: Read) -> None:
    display = TimeDisplayConfig.load()
    display.aftersales_time_format, display.timezone = "DD/MM/YYYY HH:mm", "Europe/Berlin"
    display.save()
    answer = read(link.token).json()
    assert answer["project"]["updated_at"] == "05/01/2026 01:30"
    assert ProjectCache.objects.get().document_version != display.version


def test_the_age_and_the_time_are_told(link: Issued, project: ProjectCache, read: Read) -> None:
    moment = confirmed(project, timedelta(minutes=5))
    answer = read(link.token).json()
    assert answer["cache_time"] == "5 minutes ago"
    assert answer["last_sync"] == f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def test_a_complete_run_confirms_what_it_did_not_write(
    link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, OLD)
    RemoteSource.objects.update(confirmed_at=timezone.now() - timedelta(minutes=2))
    assert read(link.token).json()["cache_time"] == "2 minutes ago"
    assert asked(library) == 0


def test_a_run_does_not_confirm_what_it_could_not_use(
    link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, timedelta(hours=3))
    ProjectCache.objects.update(unconfirmed_since=timezone.now())
    RemoteSource.objects.update(confirmed_at=timezone.now() - timedelta(minutes=2))
    library.answer("/projects/P-1001", {**ITEM, "status": "exploded"})
    answer = read(link.token).json()
    assert (answer["stale"], answer["cache_time"]) == (True, "3 hours ago")
    assert asked(library) == 1


@pytest.mark.parametrize("query", [{}, {"force_sync": "true"}, {"use_cache": "false"}])
def test_a_due_copy_is_refreshed(
    query: dict[str, str], link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, OLD)
    library.answer("/projects/P-1001", NEWS)
    answer = read(link.token, **query).json()
    assert (answer["from_cache"], answer["stale"], answer["cache_time"]) == (False, False, "just now")
    assert answer["project"]["status"] == "shipped"
    assert ProjectStatusChange.objects.get().new_status == "shipped"
    assert read(link.token).json()["from_cache"] is True
    assert asked(library) == 1


@pytest.mark.parametrize("query", [{"force_sync": "true"}, {"use_cache": "false"}])
def test_a_current_copy_is_refreshed_for_who_insists(
    query: dict[str, str], link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, timedelta(minutes=1))
    assert read(link.token).json()["from_cache"] is True
    assert read(link.token, **query).json()["from_cache"] is False


def test_insisting_does_not_hammer_the_library(link: Issued, project: ProjectCache, read: Read, library: Peer) -> None:
    """The copy of a moment ago is what they would get; and it is not called stale."""
    confirmed(project, timedelta(minutes=1))
    answers = [read(link.token, force_sync="true").json() for _ in range(5)]
    assert [answer["from_cache"] for answer in answers] == [False, True, True, True, True]
    assert {answer["stale"] for answer in answers} == {False}
    assert asked(library) == 1


def test_insisting_does_not_hammer_a_library_that_fails(
    link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, timedelta(minutes=1))
    library.answer("/projects/P-1001", Raw(500))
    answers = [read(link.token, force_sync="true").json() for _ in range(3)]
    assert {(answer["from_cache"], answer["stale"]) for answer in answers} == {(True, True)}
    assert asked(library) == 1


LIES: dict[str, Any] = {
    "error": Raw(503),
    "refused": Raw(401),
    "web page": Raw(200, b"<html>Welcome</html>"),
    "broken JSON": Raw(200, b'{"id": "P-1001", "ty'),
    "half an answer": Half(),
    "closed": Close(),
    "another project": ITEM | {"id": "P-2"},
    "unknown status": ITEM | {"status": "lost in the post"},
    "a list": Raw(200, b'[{"id": "P-1001"}]'),
}


@pytest.mark.parametrize("name", LIES)
def test_a_library_that_fails_or_lies_leaves_the_copy(
    name: str, link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    moment = confirmed(project, OLD)
    library.answer("/projects/P-1001", LIES[name])
    answer = read(link.token)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["from_cache"], body["stale"], body["cache_time"]) == (True, True, "35 minutes ago")
    assert body["project"]["status"] == "processing"
    assert ProjectCache.objects.get().fetched_at == moment


def test_a_library_that_is_down_costs_the_second_reader_nothing(
    link: Issued, project: ProjectCache, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(project, OLD)
    RemoteSource.objects.update(base_url=refused_url())
    assert read(link.token).json()["stale"] is True
    monkeypatch.setattr(refresh, "ask", None)  # a second question would be an error
    assert read(link.token).json()["stale"] is True


def test_a_project_that_its_library_no_longer_has_is_kept_and_marked(
    link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, OLD)
    library.answer("/projects/P-1001", Raw(404))
    assert read(link.token).json()["stale"] is True
    assert ProjectCache.objects.get().removed_at is not None


def test_a_disabled_library_is_not_asked(link: Issued, project: ProjectCache, read: Read, library: Peer) -> None:
    confirmed(project, OLD)
    RemoteSource.objects.update(enabled=False)
    assert read(link.token, force_sync="true").json()["stale"] is True
    assert asked(library) == 0


@pytest.mark.parametrize("flag", ["use_cache", "force_sync"])
def test_a_flag_that_says_neither_is_refused(flag: str, link: Issued, read: Read) -> None:
    answer = read(link.token, **{flag: "perhaps"})
    assert (answer.status_code, list(answer.json())) == (400, [flag])


# --- never for longer than the budget ---------------------------------------------------------------------------------


@pytest.fixture
def short_budget(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(refresh, "BUDGET", 0.4)
    return 0.4


class DripsHeaders:
    """Answers, and then sends a header line letter by letter: no read ever waits for long."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        line, _address = self._listener.accept()
        with line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.ended.wait(0.01):
                try:
                    line.sendall(b"x")
                except OSError:
                    return

    def close(self) -> None:
        self.ended.set()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def drips_headers() -> Iterator[DripsHeaders]:
    server = DripsHeaders()
    yield server
    server.close()


@pytest.mark.timed
@pytest.mark.parametrize("script", [Hang(), Drip()], ids=["hangs", "drips"])
def test_a_slow_library_costs_no_more_than_the_budget(
    script: Any, short_budget: float, link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, OLD)
    library.answer("/projects/P-1001", script)
    started = time.monotonic()
    assert read(link.token).json()["stale"] is True
    assert time.monotonic() - started < short_budget + 0.5


@pytest.mark.timed
def test_a_library_that_drips_its_headers_costs_no_more_either(
    short_budget: float, link: Issued, project: ProjectCache, read: Read, drips_headers: DripsHeaders
) -> None:
    confirmed(project, OLD)
    RemoteSource.objects.update(base_url=drips_headers.url)
    started = time.monotonic()
    assert read(link.token).json()["stale"] is True
    assert time.monotonic() - started < short_budget + 0.5


def test_a_library_that_hangs_holds_few_threads(
    short_budget: float, link: Issued, project: ProjectCache, read: Read, library: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While as many as may wait are waiting, everybody else has the copy at once."""
    confirmed(project, OLD)
    monkeypatch.setattr(asking, "_waiting", threading.BoundedSemaphore(1))
    asking._waiting.acquire()
    assert read(link.token).json()["stale"] is True
    assert asked(library) == 0


# --- together ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_eight_readers_cause_one_refresh(link: Issued, project: ProjectCache, library: Peer) -> None:
    confirmed(project, OLD)
    at_once, answering = threading.Barrier(8), threading.Event()

    def late(_request: Any) -> Any:
        answering.wait(5)
        return NEWS

    library.answer("/projects/P-1001", late)

    def look(_number: int) -> dict[str, Any]:
        at_once.wait()
        try:
            return dict(Client().get("/api/projects/P-1001", {"token": link.token}).json())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as readers:
        looks = [readers.submit(look, number) for number in range(8)]
        # seven go on with the copy while one is still waiting for the library
        while sum(one.done() for one in looks) < 7:
            time.sleep(0.01)
        assert asked(library) == 1
        answering.set()
        answers = [one.result() for one in looks]
    assert asked(library) == 1
    assert sorted((answer["from_cache"], answer["stale"]) for answer in answers) == [
        (False, False),
        *[(True, True)] * 7,
    ]


@pytest.fixture
def no_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    monkeypatch.setattr(refresh, "marks", asking.Marks())
    monkeypatch.setattr(asking, "marks", refresh.marks)


def test_without_redis_there_is_still_one_refresh(
    no_redis: None, link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, timedelta(minutes=1))
    assert read(link.token, force_sync="true").json()["from_cache"] is False
    confirmed(project, timedelta(minutes=1))
    assert read(link.token, force_sync="true").json()["from_cache"] is True
    assert asked(library) == 1


def test_without_redis_a_failing_library_rests_too(
    no_redis: None, link: Issued, project: ProjectCache, read: Read, library: Peer
) -> None:
    confirmed(project, OLD)
    library.answer("/projects/P-1001", Raw(500))
    read(link.token)
    assert asking.is_resting(RemoteSource.objects.get())


def test_the_answer_is_json_whatever_the_project_says(source: RemoteSource, read: Read) -> None:
    from projects.models import Role
    from projects.sync.apply import apply_one
    from projects.tokens import issue

    item = ITEM | {"id": "P-3", "title": 'A "quoted" </script> \\ title', "note": "line\nbreak"}
    copy = apply_one(source, item, now=timezone.now())
    link = issue(copy, user_id="C-1", user_name="王芳", access_type=Role.CUSTOMER)
    answer = read(link.token, "P-3")
    assert json.loads(answer.content)["project"]["title"] == item["title"]
