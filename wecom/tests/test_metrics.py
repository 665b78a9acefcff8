"""What /metrics tells of WeCom: calls of every process, callbacks and their lag, tokens, breakers, pauses, runs."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config import metrics_queues
from config.celery import app as celery
from config.testing.metrics import Families, looked_up, parsed, series, told
from config.testing.processes import Stack, wait_until
from wecom import gauges, inbox, metrics
from wecom.client import WeComClient
from wecom.errors import PermanentError, QuotaError, RetryableError
from wecom.models import CallbackEvent, Capability, CapabilityResult, DirectorySyncRun, WeComConfig
from wecom.signals import approval_changed
from wecom.tests import vectors
from wecom.tests.inbound import deliver, delivery, make_config, only_listener
from wecom.tests.peers import Close, Peer

# --- Calls ------------------------------------------------------------------------------------------------------------


def test_a_call_is_counted_by_endpoint_and_errcode_with_its_time(peer: Peer, wecom_client: WeComClient):
    peer.answer("getcallbackip", {"errcode": 0, "ip_list": []})
    peer.answer("oa/applyevent", {"errcode": 301055, "errmsg": "no"}, {"errcode": 987654, "errmsg": "?"}, Close())
    wecom_client.get("getcallbackip")
    for error in (PermanentError, PermanentError, RetryableError):
        with pytest.raises(error):
            wecom_client.post("oa/applyevent", {}, writes=True)
    families = told()
    assert series(families, "quotebridge_wecom_calls", "_total") == {
        ("gettoken", "0"): 1,
        ("getcallbackip", "0"): 1,
        ("oa/applyevent", "301055"): 1,
        ("oa/applyevent", "other"): 1,
        ("oa/applyevent", "none"): 1,
    }
    assert series(families, "quotebridge_wecom_call_seconds", "_count")[("oa/applyevent",)] == 3
    assert 0 < series(families, "quotebridge_wecom_call_seconds", "_sum")[("oa/applyevent",)] < 30


def test_an_address_with_a_person_in_it_is_no_label(peer: Peer, wecom_client: WeComClient):
    peer.answer("user/get/zhangsan", {"errcode": 0})
    wecom_client.get("user/get/zhangsan")
    assert ("other", "0") in series(told(), "quotebridge_wecom_calls", "_total")


def called_in_the_code() -> set[str]:
    """Every endpoint that somebody calls with its name written out."""
    found: set[str] = set()
    for app in ("approvals", "notifications", "projects", "wecom"):
        for path in (Path(django_settings.BASE_DIR) / app).rglob("*.py"):
            if {"tests", "standin"} & set(path.parts):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                    owner, first = ast.unparse(node.func.value), node.args[0]
                    is_call = node.func.attr in ("get", "post") and owner.endswith("client")
                    if is_call and isinstance(first, ast.Constant) and isinstance(first.value, str):
                        found.add(first.value)
    return found


def test_every_endpoint_that_is_called_has_a_label_of_its_own():
    called = called_in_the_code()
    assert {"oa/applyevent", "message/send", "getcallbackip"} <= called
    assert called - set(metrics.ENDPOINTS) == set()


# --- Callbacks --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_callbacks_are_counted_by_what_was_done_with_them(client: Client):
    make_config()
    event = vectors.approval_event()
    assert [deliver(event).status_code, deliver(event).status_code] == [200, 200]
    assert client.post("/wecom/callback?msg_signature=wrong", b"<xml/>", "text/xml").status_code != 200
    families = told()
    assert series(families, "quotebridge_callbacks_received", "_total") == {
        ("stored",): 1, ("duplicate",): 1, ("refused",): 1,
    }  # fmt: skip
    assert series(families, "quotebridge_callback_stored_after_seconds", "_count") == {(): 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("answer", "outcome"), [("applied", "applied"), (inbox.Park("not yet"), "parked"), (ValueError("x"), "failed")]
)
def test_handling_is_counted_by_its_outcome(answer: Any, outcome: str):
    def listener(**_kwargs: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    make_config()
    deliver(vectors.approval_event())
    CallbackEvent.objects.update(created_at=timezone.now() - timedelta(seconds=40))
    with only_listener(approval_changed, listener):
        inbox.process_due()
    families = told()
    assert series(families, "quotebridge_callbacks_handled", "_total") == {(outcome,): 1}
    if outcome == "applied":
        assert 40 < series(families, "quotebridge_callback_handled_after_seconds", "_sum")[()] < 70


# --- Apps -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_token_breaker_and_pause_of_each_app_are_told(peer: Peer):
    one, two = make_config("one"), make_config("two", secret="another")
    make_config("off", enabled=False)
    peer.answer("gettoken", {"errcode": 0, "access_token": "t", "expires_in": 7200}, {"errcode": 40001, "errmsg": "no"})
    peer.answer("oa/getapprovalinfo", {"errcode": 45009, "errmsg": "freq"})
    with pytest.raises(QuotaError):
        WeComClient(one).post("oa/getapprovalinfo", {})
    with pytest.raises(PermanentError):
        WeComClient(two).tokens.get()
    families = looked_up(gauges.read_apps)
    remaining = series(families, "quotebridge_wecom_token_remaining_seconds")
    assert remaining.keys() == {("one",)} and 7000 < remaining[("one",)] <= 7200
    assert families["quotebridge_wecom_token_age_seconds"].samples[0].value < 60
    assert 200 < series(families, "quotebridge_wecom_breaker_seconds")[("two",)] <= 300
    assert 0 < series(families, "quotebridge_wecom_paused_seconds")[("one", "oa/getapprovalinfo")] <= 60
    assert series(families, "quotebridge_wecom_secret_readable") == {("one",): 1, ("two",): 1}


@pytest.mark.django_db
def test_an_app_whose_secret_cannot_be_opened_hides_no_other(peer: Peer, settings: Any):
    lost = make_config("lost")
    settings.FIELD_ENCRYPTION_KEYS = ["b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyMzI="]
    make_config("fine")
    families = looked_up(gauges.read_apps)
    readable = families["quotebridge_wecom_secret_readable"].samples
    assert {sample.labels["app"]: sample.value for sample in readable} == {lost.slug: 0, "fine": 1}
    assert [s.labels["app"] for s in families["quotebridge_wecom_token_remaining_seconds"].samples] == ["fine"]


# --- Runs of the directory --------------------------------------------------------------------------------------------


def ended(config: WeComConfig, kind: str, status: str, *, ago: int, **counts: int) -> None:
    end = timezone.now() - timedelta(minutes=ago)
    start = end - timedelta(seconds=90)
    DirectorySyncRun.objects.create(
        config=config, sync_type=kind, status=status, created_at=start, started_at=start, finished_at=end, **counts
    )


@pytest.mark.django_db
def test_the_last_run_of_each_type_and_the_last_success_are_told_in_two_statements():
    read = gauges.directory.read
    one = make_config("one")
    with CaptureQueriesContext(connection) as few:
        list(read())
    for number in range(5):
        app = make_config(f"app{number}")
        ended(app, "user", "success", ago=60)
        ended(app, "department", "success", ago=60)
    ended(one, "user", "success", ago=30, created=7, fetched=9)
    ended(one, "user", "failed", ago=10, fetched=3)
    DirectorySyncRun.objects.create(config=one, sync_type="user", status="running", started_at=timezone.now())
    with CaptureQueriesContext(connection) as many:
        families = looked_up(read)
    assert (len(few), len(many)) == (1, 2)  # without runs there is nothing to read
    now = time.time()
    assert series(families, "quotebridge_directory_sync_seconds")[("one", "user")] == 90
    assert (
        590
        < now - series(families, "quotebridge_directory_sync_ended_timestamp_seconds")[("one", "failed", "user")]
        < 660
    )
    assert (
        1790 < now - series(families, "quotebridge_directory_sync_succeeded_timestamp_seconds")[("one", "user")] < 1860
    )
    assert series(families, "quotebridge_directory_sync_rows")[("one", "fetched", "user")] == 3
    assert len(series(families, "quotebridge_directory_sync_seconds")) == 11


@pytest.mark.django_db
def test_a_partial_run_leaves_the_directory_current_and_a_failed_one_does_not():
    one = make_config("one")
    ended(one, "full", "success", ago=3000)
    ended(one, "full", "partial", ago=20)
    ended(one, "full", "failed", ago=10)
    fresh = series(looked_up(gauges.directory.read), "quotebridge_directory_sync_succeeded_timestamp_seconds")
    assert 1190 < time.time() - fresh[("one", "full")] < 1260


@pytest.mark.django_db
def test_an_app_that_should_be_read_and_never_was_is_told_of():
    name = "quotebridge_directory_sync_succeeded_timestamp_seconds"

    def never() -> set[str]:
        samples = looked_up(gauges.directory.read)[name].samples
        return {sample.labels["app"] for sample in samples if sample.value == 0 and sample.labels["type"] == "full"}

    main, second = make_config("main", is_default=True), make_config("second")
    mute, other = (make_config(slug, corp_id="wwsubsidiary") for slug in ("mute", "other"))
    for app, ok in ((second, True), (mute, False)):
        CapabilityResult.objects.create(config=app, capability=Capability.DIRECTORY, ok=ok, checked_at=timezone.now())
    assert never() == {"main", "other"}
    ended(main, "full", "failed", ago=10)
    assert never() == {"main", "other"}
    ended(main, "full", "success", ago=5)
    assert never() == {"other"}
    ended(other, "full", "success", ago=5)
    assert never() == set()


# --- Queues -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_row_that_fails_again_and_again_is_old_though_it_is_never_late():
    queue, now, config = CallbackEvent._meta.label_lower, timezone.now(), make_config()
    for hours, status, wait in ((72, "failed", 600), (1, "pending", -60), (100, "succeeded", -60), (90, "dead", -60)):
        CallbackEvent.objects.create(
            key=f"{hours}",
            config=config,
            status=status,
            created_at=now - timedelta(hours=hours),
            next_attempt_at=now + timedelta(seconds=wait),
        )
    families = looked_up(metrics_queues.read_queues)
    assert series(families, "quotebridge_queue_oldest_seconds")[(queue,)] == pytest.approx(72 * 3600, abs=60)
    assert series(families, "quotebridge_queue_late_seconds")[(queue,)] == pytest.approx(60, abs=30)
    CallbackEvent.objects.filter(status="pending").delete()
    families = looked_up(metrics_queues.read_queues)
    assert (queue,) not in series(families, "quotebridge_queue_late_seconds")


# --- All of it, over real processes -----------------------------------------------------------------------------------


@pytest.fixture
def peer_of_processes(stack: Stack) -> Iterator[Peer]:
    server = Peer()
    stack.environment["WECOM_API_BASE_URL"] = server.url
    yield server
    server.close()


@pytest.mark.slow
def test_what_a_worker_did_is_told_by_the_web(stack: Stack, peer_of_processes: Peer):
    secret = "never-to-be-read-anywhere"
    make_config(secret=secret)
    web, worker = stack.web(workers=2), stack.worker(concurrency=2)

    def page() -> Families:
        return parsed(requests.get(f"{web.url}/metrics", timeout=10).text)

    celery.send_task("wecom.refresh_tokens")
    query, body = delivery(vectors.approval_event())
    assert requests.post(f"{web.url}/wecom/callback", params=query, data=body, timeout=10).text == "success"
    wait_until(lambda: ("gettoken", "0") in series(page(), "quotebridge_wecom_calls", "_total"), 20, "the call")
    wait_until(lambda: sum(series(page(), "quotebridge_callbacks_handled", "_total").values()), 20, "the event")
    wait_until(lambda: series(page(), "quotebridge_callbacks_received", "_total"), 20, "the receipt")
    families = page()
    assert series(families, "quotebridge_wecom_calls", "_total") == {("gettoken", "0"): 1}
    assert series(families, "quotebridge_callbacks_received", "_total") == {("stored",): 1}
    assert series(families, "quotebridge_part_up") == {("worker",): 1}
    assert series(families, "quotebridge_wecom_token_remaining_seconds")[("default",)] > 7000
    text = requests.get(f"{web.url}/metrics", timeout=10).text
    assert not [word for word in (secret, "token-1", vectors.TOKEN, vectors.AES_KEY) if word in text]

    worker.terminate()  # what is counted outlives its process
    assert series(page(), "quotebridge_wecom_calls", "_total") == {("gettoken", "0"): 1}
    assert requests.get(f"{web.url}/metrics", headers={"X-Forwarded-For": "203.0.113.9"}, timeout=10).status_code == 404


@pytest.mark.slow
def test_processes_that_are_told_to_end_send_their_last_counts_first(stack: Stack, peer_of_processes: Peer):
    make_config()
    web, worker = stack.web(), stack.worker()
    celery.send_task("wecom.refresh_tokens")
    wait_until(lambda: peer_of_processes.calls("gettoken"), 20, "the call")
    worker.terminate()  # within the second in which counts gather
    query, body = delivery(vectors.approval_event())
    requests.post(f"{web.url}/wecom/callback", params=query, data=body, timeout=10)
    web.process.terminate()
    families = told()
    assert series(families, "quotebridge_wecom_calls", "_total") == {("gettoken", "0"): 1}
    assert series(families, "quotebridge_callbacks_received", "_total") == {("stored",): 1}
