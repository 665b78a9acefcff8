"""Readiness with real processes: each part is missed when it is gone, and a frozen one delays nobody."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection
from django.test import Client

from config import health, heartbeat
from config.probes import FRESH_FOR, Probe, Result
from config.testing.processes import Stack, Valkey, wait_until

PROMISED_SECONDS = 2.0


def ready(url: str) -> tuple[int, dict[str, Any], float]:
    started = time.monotonic()
    response = requests.get(f"{url}/health/ready", timeout=10)
    return response.status_code, response.json()["parts"], time.monotonic() - started


@pytest.mark.slow
def test_every_line_of_the_web_server_is_json(stack: Stack):
    web = stack.web()
    requests.get(f"{web.url}/no-such-page", timeout=5)
    web.process.terminate()
    lines = [json.loads(line) for line in web.process.output.splitlines()]
    assert {"_granian", "django_structlog.middlewares.request"} <= {line["logger"] for line in lines}


def test_alive_means_only_that_the_process_answers(client: Client):
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_without_worker_and_beat_it_is_not_ready(client: Client):
    response = client.get("/health/ready")
    parts = response.json()["parts"]
    assert response.status_code == 503
    assert {name: part["ok"] for name, part in parts.items()} == {
        "database": True, "redis": True, "worker": False, "beat": False,
    }  # fmt: skip
    assert all(part["ms"] >= 0 for part in parts.values())
    assert parts["beat"]["error"] == "no beat heard of lately"


@pytest.mark.django_db(transaction=True)
def test_signs_of_life_make_it_ready(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(heartbeat, "_last_beat", {})
    heartbeat.beat_heart("worker")
    heartbeat.beat_heart("beat")
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (200, "ok")


def test_a_heartbeat_ends_by_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(heartbeat, "_last_beat", {})
    heartbeat.beat_heart("worker")
    assert 0 < heartbeat.redis().ttl("quotebridge:heartbeat:worker") <= heartbeat.LIFETIME


@pytest.mark.timed
def test_a_heartbeat_without_redis_raises_nothing_and_is_quick(settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(heartbeat, "_last_beat", {})
    started = time.monotonic()
    heartbeat.beat_heart("worker")
    assert time.monotonic() - started < 2 * heartbeat.TIMEOUT


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch):
    """Each test asks anew."""
    monkeypatch.setattr(health, "PROBES", [Probe(probe.name, probe._ask) for probe in health.PROBES])


def test_many_requests_at_once_share_one_question_and_none_is_told_no_answer():
    asked = []

    def ask() -> None:
        asked.append(time.monotonic())

    probe = Probe("part", ask)

    def result(_: int) -> Result[None]:
        return probe.run().result(time.monotonic() + 5)

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(result, range(2000)))
    assert {(answer.ok, answer.error) for answer in results} == {(True, "")}
    assert len(asked) <= 1 + (time.monotonic() - started) / FRESH_FOR


def test_parallel_requests_get_the_same_verdict_while_questions_begin_and_end():
    probe = Probe("part", lambda: None, fresh_for=0.0)  # a new question at every chance
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: probe.run().result(time.monotonic() + 5), range(2000)))
    assert {(answer.ok, answer.error) for answer in results} == {(True, "")}


def test_a_part_that_hangs_is_asked_once_and_said_to_give_no_answer():
    released, asked = threading.Event(), []

    def ask() -> None:
        asked.append(1)
        released.wait(30)

    probe = Probe("part", ask)
    for _ in range(3):
        answer = probe.run().result(time.monotonic() + 0.05)
        assert (answer.ok, answer.error) == (False, "no answer")
    released.set()
    assert (probe.run().result(time.monotonic() + 5).ok, len(asked)) == (True, 1)


def test_only_reading_is_allowed(client: Client):
    assert client.post("/health").status_code == 405
    assert client.post("/health/ready").status_code == 405


@pytest.mark.slow
def test_the_real_processes_make_it_ready_and_are_missed_when_they_die(
    stack: Stack, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
):
    stack.environment["REDIS_URL"] = valkey.url
    web = stack.web()
    worker, beat = stack.worker(), stack.beat()
    wait_until(lambda: ready(web.url)[0] == 200, 30, "everything ready")

    for process, part in ((beat, "beat"), (worker, "worker")):
        process.kill()
        wait_until(_part_fails(web.url, part), heartbeat.LIFETIME + 10, f"{part} missed")

    valkey.freeze()
    wait_until(_part_fails(web.url, "redis"), message="the frozen Redis missed")
    status, parts, seconds = ready(web.url)
    valkey.thaw()
    assert (status, parts["redis"]["ok"], parts["database"]["ok"]) == (503, False, True)
    assert seconds < PROMISED_SECONDS
    wait_until(lambda: ready(web.url)[1]["redis"]["ok"], message="Redis found again")


def _part_fails(url: str, part: str) -> Callable[[], bool]:
    return lambda: not ready(url)[1][part]["ok"]


@pytest.mark.timed
@pytest.mark.slow
def test_a_frozen_redis_answers_in_time_again_and_again_without_piling_up_threads(stack: Stack, valkey: Valkey):
    stack.environment["REDIS_URL"] = valkey.url
    web = stack.web()
    valkey.freeze()
    times = [ready(web.url)[2] for _ in range(6)]
    threads = _threads(web.process.pid)
    assert max(times) < PROMISED_SECONDS
    [ready(web.url) for _ in range(4)]
    assert _threads(web.process.pid) <= threads + 1
    valkey.thaw()


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that lets everybody connect and never says a word, as one does that is frozen."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


@pytest.mark.timed
@pytest.mark.slow
def test_a_frozen_database_answers_in_time_again_and_again_without_piling_up_threads(stack: Stack, silent_server: int):
    stack.environment["DATABASE_URL"] = f"postgres://nobody@127.0.0.1:{silent_server}/nothing"
    web = stack.web()
    answers = [ready(web.url) for _ in range(4)]
    threads = _threads(web.process.pid)
    assert {(status, parts["database"]["ok"], parts["redis"]["ok"]) for status, parts, _ in answers} == {
        (503, False, True)
    }
    assert answers[0][1]["database"]["error"] == "no answer"
    assert max(seconds for _status, _parts, seconds in answers) < PROMISED_SECONDS
    [ready(web.url) for _ in range(4)]
    assert _threads(web.process.pid) <= threads + 1


@pytest.mark.timed
@pytest.mark.slow
def test_database_and_redis_frozen_together_are_both_named_in_time(stack: Stack, valkey: Valkey, silent_server: int):
    stack.environment |= {
        "REDIS_URL": valkey.url,
        "DATABASE_URL": f"postgres://nobody@127.0.0.1:{silent_server}/nothing",
    }
    web = stack.web()
    valkey.freeze()
    status, parts, seconds = ready(web.url)
    valkey.thaw()
    assert (status, {part["ok"] for part in parts.values()}) == (503, {False})
    assert seconds < PROMISED_SECONDS


def _threads(pid: int) -> int:
    """Threads of the web server's worker, the child of ``pid``."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    status = Path(f"/proc/{children[0]}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Threads:")))


@pytest.mark.timed
@pytest.mark.slow
def test_a_database_that_is_gone_is_reported_not_raised(stack: Stack, valkey: Valkey):
    if connection.vendor == "sqlite":
        stack.environment["DATABASE_URL"] = f"sqlite:///{stack.directory}/no/such/folder/x.sqlite3"
    else:
        stack.environment["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/nothing"
    web = stack.web()
    status, parts, seconds = ready(web.url)
    assert (status, parts["database"]["ok"]) == (503, False)
    assert parts["database"]["error"] == "OperationalError"  # no address, no user name
    assert seconds < PROMISED_SECONDS
    page = requests.get(f"{web.url}/admin/login/", timeout=10, cookies={"sessionid": "x" * 32})
    assert (page.status_code, page.headers["Retry-After"]) == (503, "30")
    api = requests.get(f"{web.url}/api/quotes", timeout=10, headers={"Authorization": "Token qb_" + "a" * 64})
    assert (api.status_code, api.json()["code"]) == (503, "not_ready")
