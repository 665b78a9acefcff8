"""Counting and looking up: labels that cannot grow, counts that survive Redis, sources that may fail."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
import requests
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

from config import durable, metrics, metrics_queues, metrics_tally
from config.metrics import Counter, Histogram
from config.metrics_tally import Tally
from config.testing.metrics import parsed
from config.testing.processes import Stack, Valkey, wait_until


def value(family: Metric, suffix: str = "", **labels: str) -> float:
    """Of the one sample with these labels."""
    found = [s.value for s in family.samples if s.name == family.name + suffix and s.labels == labels]
    assert len(found) == 1, family.samples
    return found[0]


@pytest.fixture(autouse=True)
def _own_instruments(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes is gone after it."""
    monkeypatch.setattr(metrics, "_instruments", dict(metrics._instruments))
    monkeypatch.setattr(metrics, "_sources", {lane: dict(sources) for lane, sources in metrics._sources.items()})


def counted() -> dict[str, Metric]:
    """What all processes have counted, as a reader of the text format sees it."""

    class Counted:
        def collect(self) -> list[Metric]:
            return metrics.counted()

    assert metrics_tally.flush()
    registry = CollectorRegistry()
    registry.register(Counted())  # type: ignore[arg-type]
    return parsed(generate_latest(registry).decode())


def test_a_counter_counts_by_label_and_folds_what_it_does_not_know():
    hits = Counter("quotebridge_test_hits", "Hits.", colour=("red", "blue"))
    hits.add("red")
    hits.add("red", count=2)
    hits.add("Zhang San <secret>")
    family = counted()["quotebridge_test_hits"]
    assert {s.labels["colour"]: s.value for s in family.samples} == {"red": 3, "other": 1}


def test_a_counter_from_zero_shows_series_in_which_nothing_has_happened():
    Counter("quotebridge_test_zero", "Hits.", from_zero=True, colour=("red", "blue")).add("red")
    family = counted()["quotebridge_test_zero"]
    assert {s.labels["colour"]: s.value for s in family.samples} == {"red": 1, "blue": 0}


def test_a_histogram_is_cumulative_and_its_sum_is_exact():
    waits = Histogram("quotebridge_test_seconds", "Waits.", buckets=(0.1, 1), kind=("a",))
    for seconds in (0.1, 0.1, 0.5, 7, -3):
        waits.observe(seconds, "a")
    family = counted()["quotebridge_test_seconds"]
    assert [value(family, "_bucket", kind="a", le=le) for le in ("0.1", "1.0", "+Inf")] == [3, 4, 5]
    assert (value(family, "_count", kind="a"), value(family, "_sum", kind="a")) == (5, 7.7)


def test_counts_in_buckets_of_an_earlier_version_are_not_lost():
    Histogram("quotebridge_test_old", "Waits.", buckets=(1, 10))
    metrics_tally.add({"quotebridge_test_old|0.25": 2, "quotebridge_test_old|99.0": 1, "quotebridge_test_gone|x": 1})
    family = counted()["quotebridge_test_old"]
    assert [value(family, "_bucket", le=le) for le in ("1.0", "10.0", "+Inf")] == [2, 2, 3]


def test_a_name_is_taken_once_and_is_ours():
    Counter("quotebridge_test_once", "Once.")
    with pytest.raises(ValueError, match="quotebridge_test_once is taken"):
        Histogram("quotebridge_test_once", "Twice.", buckets=(1,))
    with pytest.raises(ValueError, match="start with quotebridge_"):
        Counter("wecom_calls", "Whose?")


# --- The tally --------------------------------------------------------------------------------------------------------


@pytest.fixture
def own_redis(valkey: Valkey, settings: Any) -> Valkey:
    settings.REDIS_URL = valkey.url
    return valkey


@pytest.mark.timed
def test_counting_waits_for_nobody_while_redis_is_frozen_and_nothing_is_lost(own_redis: Valkey):
    tally = Tally()
    tally.add({"a": 1})
    assert tally.flush(5)
    own_redis.freeze()
    started = time.perf_counter()
    for _ in range(10_000):
        tally.add({"a": 1, "b": 2})
    assert time.perf_counter() - started < 1.0  # some 10 ms; one time-out alone is 500
    assert not tally.flush(1)
    own_redis.thaw()
    wait_until(lambda: tally.flush(0.5), message="everything sent")
    assert metrics_tally.totals() == {"a": 10_001, "b": 20_000}


def test_a_batch_whose_answer_was_lost_counts_once(own_redis: Valkey):
    tally = Tally()
    tally._gathered["a"] = 5
    tally._take()
    batch = dict(tally._batch)
    assert tally._send()
    tally._batch = batch  # as if the answer had not come: sent again, under the same number
    assert tally._send()
    assert metrics_tally.totals() == {"a": 5}
    tally._gathered["a"] = 2
    tally._take()
    assert tally._send()
    assert metrics_tally.totals() == {"a": 7}


def test_the_counts_of_several_processes_meet(own_redis: Valkey):
    metrics_tally.add({"a": 1})
    child = os.fork()
    if child == 0:  # inherits an unsent count and a thread that does not run
        metrics_tally.add({"a": 10})
        os._exit(0 if metrics_tally.flush(5) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert metrics_tally.flush(5)
    assert metrics_tally.totals() == {"a": 11}


# --- Sources ----------------------------------------------------------------------------------------------------------


def page(client: Client) -> dict[str, Metric]:
    assert metrics_tally.flush()
    response = client.get("/metrics")
    assert response.status_code == 200
    return parsed(response.content.decode())


@pytest.mark.django_db(transaction=True)
def test_a_source_that_fails_is_told_and_hides_no_other(client: Client):
    def broken() -> list[Metric]:
        raise RuntimeError("wrong")

    metrics.register_source("test.broken", broken, lane="database")
    families = page(client)
    up = {s.labels["source"]: s.value for s in families["quotebridge_source_up"].samples}
    assert up.pop("test.broken") == 0
    assert set(up.values()) == {1}
    assert "quotebridge_queue_rows" in families


@pytest.mark.django_db(transaction=True)
def test_a_source_is_registered_once():
    with pytest.raises(ValueError, match="registered already"):
        metrics.register_source("config.queues", list, lane="redis")


@pytest.mark.django_db(transaction=True)
def test_without_redis_what_the_database_knows_is_told(client: Client, settings: Any):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/metrics")
    families = parsed(response.content.decode())
    up = {s.labels["source"]: s.value for s in families["quotebridge_source_up"].samples}
    assert (up["config.queues"], up["config.counted"], up["config.heartbeats"]) == (1, 0, 0)
    assert "quotebridge_queue_rows" in families
    assert "quotebridge_part_up" not in families


@pytest.mark.timed
@pytest.mark.slow
def test_a_frozen_redis_holds_up_neither_the_page_nor_what_the_database_knows(stack: Stack, valkey: Valkey):
    stack.environment["REDIS_URL"] = valkey.url
    web = stack.web()
    valkey.freeze()
    for _ in range(3):
        started = time.monotonic()
        families = parsed(requests.get(f"{web.url}/metrics", timeout=10).text)
        assert time.monotonic() - started < 2.0
        up = {s.labels["source"]: s.value for s in families["quotebridge_source_up"].samples}
        assert (up["config.queues"], up["config.counted"]) == (1, 0)
    valkey.thaw()
    wait_until(
        lambda: "quotebridge_wecom_calls" in requests.get(f"{web.url}/metrics", timeout=10).text, message="all of it"
    )


@pytest.mark.django_db
def test_queues_cost_one_statement_each_and_their_conditions_find_the_indexes():
    with CaptureQueriesContext(connection) as queries:
        list(metrics_queues.read_queues())
    assert len(queries) == len(durable.queues())
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")  # which it prefers for empty tables
        for query in queries.captured_queries:
            cursor.execute(f"{explain} {query['sql']}")
            plan = str(cursor.fetchall())
            assert "_due" in plan and "_dead" in plan, plan
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = on")
