"""The callback address as WeCom, a proxy and a stranger see it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from redis import Redis

from config import wakeup
from wecom import configs, refusals
from wecom.configs import credentials_for, forget_credentials
from wecom.crypto import CallbackCrypto
from wecom.models import CallbackEvent, RefusedCallback, WeComConfig
from wecom.spool import replay_spool
from wecom.tests.inbound import database_away, deliver, delivery, make_config, post
from wecom.tests.vectors import AES_KEY, OTHER_AES_KEY, OTHER_TOKEN, approval_event, crypto

ADDRESSES = ["/wecom/callback", "/wecom/callback/", "/wecom/callback/sales", "/wecom/callback/sales/"]


@pytest.fixture(autouse=True)
def _own_process_state(tmp_path: Path, settings: Settings) -> Iterator[None]:
    settings.VAR_DIR = tmp_path
    forget_credentials()
    usual, refusals.allowance = refusals.allowance, refusals.Allowance(refusals.BURST, refusals.PER_MINUTE)
    yield
    refusals.allowance = usual


@contextmanager
def lock_held_by_somebody() -> Iterator[None]:
    """Another connection holds the lock that storing an event needs."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    other_connection = connections.create_connection("default")
    try:
        with other_connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE wecom_callbackevent IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        other_connection.close()


def spooled(folder: Path) -> list[Path]:
    return sorted((folder / "spool").glob("*.callback"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ADDRESSES)
def test_the_verification_is_answered_with_the_bare_echo(path: str) -> None:
    make_config("default")
    make_config("sales")
    query, _ = delivery("")
    echo = crypto().encrypt(b"7731904468820155973")
    query |= {"echostr": echo, "msg_signature": crypto().sign(query["timestamp"], query["nonce"], echo)}
    response = Client().get(path, query)
    assert (response.status_code, response.content) == (200, b"7731904468820155973")
    assert response["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ADDRESSES)
def test_an_event_is_stored_and_answered_success(path: str) -> None:
    default, sales = make_config("default"), make_config("sales")
    response = deliver(approval_event(), path=path)
    assert (response.status_code, response.content) == (200, b"success")
    row = CallbackEvent.objects.get()
    assert row.config == (sales if "sales" in path else default)
    assert (row.event, row.subject, row.from_user) == ("sys_approval_change", "202601010001", "sys")
    assert (row.status, row.attempts, row.credential, row.outcome) == ("pending", 0, "primary", "")
    assert row.event_time == datetime.fromtimestamp(1767225600, UTC)
    assert row.payload == approval_event()
    assert row.key.startswith("sys_approval_change:")
    assert CallbackEvent.objects.due().get() == row


@pytest.mark.django_db
def test_storing_costs_one_statement_once_the_credentials_are_known() -> None:
    make_config()
    deliver(approval_event("1"))
    with CaptureQueriesContext(connection) as queries:
        deliver(approval_event("2"))
    statements = [query["sql"] for query in queries if not query["sql"].startswith("PRAGMA")]
    assert len(statements) == 1
    assert "INSERT INTO" in statements[0]


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_any_content_type_will_do(content_type: str) -> None:
    make_config()
    query, body = delivery(approval_event())
    response = Client().generic("POST", f"/wecom/callback?{urlencode(query)}", body, content_type)
    assert response.content == b"success"
    assert CallbackEvent.objects.count() == 1


@pytest.mark.django_db
def test_events_of_both_credentials_are_taken_while_they_rotate() -> None:
    make_config(next_callback_token=OTHER_TOKEN, next_encoding_aes_key=OTHER_AES_KEY)
    assert deliver(approval_event("1")).content == b"success"
    assert deliver(approval_event("2"), by=crypto(OTHER_TOKEN, OTHER_AES_KEY)).content == b"success"
    assert dict(CallbackEvent.objects.values_list("subject", "credential")) == {"1": "primary", "2": "secondary"}


# -- several apps --------------------------------------------------------------------------------------------------

FIRST_APPS_OWN = CallbackCrypto("FirstApp2025", OTHER_AES_KEY, "wwanothercorp")


@pytest.fixture
def moved(db: None) -> dict[str, WeComConfig]:
    """WeCom's console holds the bare address for the first app; the mark of the default went to another app later."""
    own = {"callback_token": "FirstApp2025", "encoding_aes_key": OTHER_AES_KEY, "corp_id": "wwanothercorp"}
    make_config("off", callback_token="Disabled2025", enabled=False)
    make_config("bare", callback_token="", encoding_aes_key="")
    return {"first": make_config("default", is_default=False, **own), "now": make_config("sales", is_default=True)}


def test_an_app_that_was_the_default_once_still_gets_through(moved: dict[str, WeComConfig]) -> None:
    assert deliver(approval_event("1")).content == b"success"
    assert deliver(approval_event("2"), by=FIRST_APPS_OWN).content == b"success"
    assert deliver(approval_event("3"), by=FIRST_APPS_OWN, path="/wecom/callback/default").content == b"success"
    rows = CallbackEvent.objects.values_list("subject", "config")
    assert dict(rows) == {"1": moved["now"].pk, "2": moved["first"].pk, "3": moved["first"].pk}
    assert not RefusedCallback.objects.exists()


def test_its_verification_is_answered_as_well(moved: dict[str, WeComConfig]) -> None:
    query, _ = delivery("")
    echo = FIRST_APPS_OWN.encrypt(b"7731904468820155973")
    query |= {"echostr": echo, "msg_signature": FIRST_APPS_OWN.sign(query["timestamp"], query["nonce"], echo)}
    assert Client().get("/wecom/callback", query).content == b"7731904468820155973"


def test_only_the_bare_address_knows_other_apps(moved: dict[str, WeComConfig]) -> None:
    assert deliver(approval_event(), by=FIRST_APPS_OWN, path="/wecom/callback/sales").status_code == 403
    assert deliver(approval_event(), by=crypto("Disabled2025", AES_KEY)).status_code == 403
    assert deliver(approval_event(), by=crypto(OTHER_TOKEN, OTHER_AES_KEY)).status_code == 403
    assert not CallbackEvent.objects.exists()


def test_a_default_app_without_credentials_closes_the_bare_address_to_nobody_else(
    moved: dict[str, WeComConfig],
) -> None:
    WeComConfig.objects.filter(pk=moved["now"].pk).update(callback_token="")
    forget_credentials()
    assert deliver(approval_event(), by=FIRST_APPS_OWN).content == b"success"
    assert deliver(approval_event()).status_code == 503


def test_other_apps_are_looked_up_once_and_only_for_what_does_not_fit(moved: dict[str, WeComConfig]) -> None:
    deliver(approval_event("1"))
    with CaptureQueriesContext(connection) as fits:
        deliver(approval_event("2"))
    deliver(approval_event("3"), by=FIRST_APPS_OWN)
    with CaptureQueriesContext(connection) as of_another:
        deliver(approval_event("4"), by=FIRST_APPS_OWN)
    for queries in (fits, of_another):
        statements = [query["sql"] for query in queries if not query["sql"].startswith("PRAGMA")]
        assert len(statements) == 1 and "INSERT INTO" in statements[0]


@pytest.mark.django_db
def test_the_sync_assistant_calls_the_same_address_with_a_pair_of_its_own() -> None:
    config = make_config(contact_callback_token=OTHER_TOKEN, contact_encoding_aes_key=OTHER_AES_KEY)
    change = (
        "<xml><FromUserName>sys</FromUserName><CreateTime>1767225600</CreateTime><MsgType>event</MsgType>"
        "<Event>change_contact</Event><ChangeType>update_user</ChangeType><UserID>li.mei</UserID></xml>"
    )
    assert deliver(change, by=crypto(OTHER_TOKEN, OTHER_AES_KEY)).content == b"success"
    row = CallbackEvent.objects.get()
    assert (row.config, row.event, row.credential) == (config, "change_contact", "contact")
    assert deliver(change, by=crypto(OTHER_TOKEN, AES_KEY)).status_code == 400


@pytest.mark.django_db
def test_a_duplicate_is_answered_success_and_changes_nothing() -> None:
    make_config()
    deliver(approval_event())
    before = CallbackEvent.objects.values().get()
    assert deliver(approval_event()).content == b"success"
    assert CallbackEvent.objects.values().get() == before


@pytest.mark.django_db
def test_a_new_event_wakes_a_worker_and_a_duplicate_does_not() -> None:
    make_config()
    with Redis.from_url(django_settings.REDIS_URL) as redis:
        deliver(approval_event())
        assert wakeup.flush()
        assert redis.llen("celery") == 1
        deliver(approval_event())
        assert wakeup.flush()
        assert redis.llen("celery") == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_event_ten_times_in_parallel_is_stored_once() -> None:
    make_config()

    def deliver_once(_: int) -> bytes:
        try:
            return deliver(approval_event()).content
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(deliver_once, range(30))) == {b"success"}
    assert CallbackEvent.objects.count() == 1


@pytest.mark.django_db
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(order=st.lists(st.integers(min_value=0, max_value=5), min_size=1, max_size=15))
def test_any_order_and_number_of_deliveries_stores_each_event_once(order: list[int]) -> None:
    CallbackEvent.objects.all().delete()
    if not WeComConfig.objects.exists():  # one test database serves all examples
        make_config()
    for number in order:
        assert deliver(approval_event(str(number))).content == b"success"
    stored = list(CallbackEvent.objects.order_by("id").values_list("subject", flat=True))
    assert stored == list(dict.fromkeys(map(str, order)))


@pytest.mark.django_db
def test_an_unknown_event_is_stored_too() -> None:
    make_config()
    deliver("<xml><MsgType>event</MsgType><Event>moon_landing</Event></xml>")
    assert CallbackEvent.objects.get().event == "moon_landing"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_are_refused(method: str) -> None:
    assert Client().generic(method, "/wecom/callback").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"msg_signature": "0" * 40}, 403, -40001),
        ({"msg_signature": ""}, 400, 400),
        ({"timestamp": ""}, 400, 400),
    ],
)
def test_a_refusal_answers_its_status_and_is_kept(change: dict[str, str], status: int, code: int) -> None:
    make_config()
    query, body = delivery(approval_event())
    response = post(body, query | change, REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert response.status_code == status
    assert not CallbackEvent.objects.exists()
    kept = RefusedCallback.objects.get()
    assert (kept.code, kept.method, kept.slug, kept.remote_address) == (code, "POST", "", "203.0.113.7")
    assert kept.reason == response.content.decode()
    assert kept.query == urlencode(query | change)
    assert kept.body_start
    assert body.decode().startswith(kept.body_start)


@pytest.mark.django_db
def test_an_old_callback_is_refused() -> None:
    make_config()
    assert deliver(approval_event(), age=3700).status_code == 403
    assert RefusedCallback.objects.get().code == 403


@pytest.mark.django_db
def test_another_company_is_refused() -> None:
    make_config(corp_id="wwfacade9999999999")
    assert deliver(approval_event()).status_code == 403
    assert RefusedCallback.objects.get().code == -40005


@pytest.mark.django_db
def test_a_body_that_is_no_xml_is_refused() -> None:
    make_config()
    query, _ = delivery(approval_event())
    assert post(b"\xff\0hello", query).status_code == 400
    kept = RefusedCallback.objects.get()
    assert (kept.code, kept.body_start) == (-40002, "��hello")


@pytest.mark.django_db
def test_too_large_a_body_is_refused_before_it_is_read() -> None:
    make_config()
    query, body = delivery(approval_event())
    response = post(body, query, CONTENT_LENGTH=str(1024 * 1024 + 1))
    assert response.status_code == 413
    assert RefusedCallback.objects.get().body_start == ""


@pytest.mark.django_db
def test_an_unknown_address_is_not_found() -> None:
    make_config()
    assert deliver(approval_event(), path="/wecom/callback/nobody").status_code == 404
    assert RefusedCallback.objects.get().slug == "nobody"


@pytest.mark.django_db
def test_a_switched_off_app_is_not_found() -> None:
    make_config("sales", enabled=False)
    assert deliver(approval_event(), path="/wecom/callback/sales").status_code == 404


@pytest.mark.django_db
def test_without_credentials_the_address_is_not_ready() -> None:
    make_config(callback_token="")
    assert deliver(approval_event()).status_code == 503


@pytest.mark.django_db
def test_a_malformed_key_is_our_mistake() -> None:
    make_config(encoding_aes_key="short")
    assert deliver(approval_event()).status_code == 500
    assert RefusedCallback.objects.get().code == -40004


@pytest.mark.django_db
def test_a_flood_of_nonsense_is_answered_but_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "allowance", refusals.Allowance(refusals.BURST, per_minute=0))  # however slow we are
    make_config()
    for _ in range(refusals.BURST + 20):
        assert post(b"x", {}).status_code == 400
    assert RefusedCallback.objects.count() == refusals.BURST
    assert deliver(approval_event()).content == b"success"


@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_away_events_go_to_the_spool(tmp_path: Path) -> None:
    make_config()
    deliver(approval_event("1"))
    with database_away():
        assert deliver(approval_event("2")).content == b"success"
    assert CallbackEvent.objects.count() == 1
    assert len(spooled(tmp_path)) == 1


@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_away_nonsense_is_still_refused(tmp_path: Path) -> None:
    make_config()
    deliver(approval_event("1"))
    with database_away():
        assert post(b"x", {}).status_code == 400
        assert deliver(approval_event("2"), by=crypto("wrong")).status_code == 403
    assert spooled(tmp_path) == []
    assert not RefusedCallback.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_verification_needs_no_database_once_the_credentials_are_known() -> None:
    make_config()
    deliver(approval_event("1"))
    query, _ = delivery("")
    echo = crypto().encrypt(b"42")
    query |= {"echostr": echo, "msg_signature": crypto().sign(query["timestamp"], query["nonce"], echo)}
    with database_away():
        assert Client().get("/wecom/callback", query).content == b"42"


@pytest.mark.django_db(transaction=True)
def test_a_long_lock_sends_the_event_to_the_spool_within_two_seconds(tmp_path: Path) -> None:
    make_config()
    deliver(approval_event("1"))
    started = datetime.now(UTC)
    with lock_held_by_somebody():
        assert deliver(approval_event("2")).content == b"success"
    assert 1 < (datetime.now(UTC) - started).total_seconds() < 3
    assert len(spooled(tmp_path)) == 1
    assert deliver(approval_event("3")).content == b"success"
    assert set(CallbackEvent.objects.values_list("subject", flat=True)) == {"1", "3"}


@pytest.mark.django_db(transaction=True)
def test_the_bound_of_the_wait_ends_with_the_statement() -> None:
    make_config()
    deliver(approval_event("1"))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)
        else:
            cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
            assert cursor.fetchone() == ("0", "0")


@pytest.mark.skipif(
    "sqlite" in django_settings.DATABASES["default"]["ENGINE"], reason="SQLite has no server that could restart"
)
@pytest.mark.django_db(transaction=True)
def test_a_kept_connection_that_the_server_closed_is_replaced(tmp_path: Path) -> None:
    make_config()
    deliver(approval_event("1"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connections.create_connection("default")
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert deliver(approval_event("2")).content == b"success"
    assert set(CallbackEvent.objects.values_list("subject", flat=True)) == {"1", "2"}
    assert spooled(tmp_path) == []


@pytest.mark.django_db(transaction=True)
def test_the_event_of_an_app_deleted_a_moment_ago_is_told_apart_when_it_is_replayed(tmp_path: Path) -> None:
    config = make_config()
    deliver(approval_event("1"))
    CallbackEvent.objects.all().delete()
    type(config).objects.filter(pk=config.pk)._raw_delete(using="default")  # as another process would: no signal here
    assert deliver(approval_event("2")).content == b"success"
    assert len(spooled(tmp_path)) == 1
    forget_credentials()
    replay_spool()
    assert not CallbackEvent.objects.exists()


@contextmanager
def read_only_database() -> Iterator[None]:
    """As after a failover: the kept connection leads to what is a standby now."""
    statement = "PRAGMA query_only = ON" if connection.vendor == "sqlite" else "SET default_transaction_read_only = on"
    with connection.cursor() as cursor:
        cursor.execute(statement)
    try:
        yield
    finally:
        connection.close()


@contextmanager
def altered_table(alter: str, put_back: str) -> Iterator[None]:
    """The inbox's table as another version of the code has it."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {alter}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {put_back}")


RENAMED = ("wecom_callbackevent RENAME TO wecom_callbackevent_2", "wecom_callbackevent_2 RENAME TO wecom_callbackevent")
ONE_MORE_COLUMN = (
    "wecom_callbackevent ADD COLUMN needed integer CHECK (needed IS NOT NULL)",
    "wecom_callbackevent DROP COLUMN needed",
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "trouble",
    [read_only_database, partial(altered_table, *RENAMED), partial(altered_table, *ONE_MORE_COLUMN)],
    ids=["read-only", "no table", "a column that the code does not know"],
)
def test_whatever_the_database_complains_of_the_event_is_spooled_and_replayed(
    tmp_path: Path, trouble: Callable[[], AbstractContextManager[None]]
) -> None:
    make_config()
    credentials_for("")  # known, as in a process that has served a while
    with trouble():
        assert deliver(approval_event("1")).content == b"success"
        assert len(spooled(tmp_path)) == 1
    assert replay_spool() == 1
    assert CallbackEvent.objects.get().subject == "1"


@pytest.mark.skipif("sqlite" in django_settings.DATABASES["default"]["ENGINE"], reason="SQLite has no servers")
@pytest.mark.django_db(transaction=True)
def test_the_connection_to_a_server_that_became_read_only_is_not_kept(tmp_path: Path) -> None:
    make_config()
    credentials_for("")
    with read_only_database():
        deliver(approval_event("1"))
        assert deliver(approval_event("2")).content == b"success"
        assert (len(spooled(tmp_path)), CallbackEvent.objects.get().subject) == (1, "2")


@pytest.mark.django_db(transaction=True)
def test_credentials_are_kept_while_their_table_cannot_be_read(tmp_path: Path) -> None:
    make_config()
    credentials_for("")
    with (
        aged_credentials(),
        altered_table(
            "wecom_wecomconfig RENAME TO wecom_wecomconfig_2", "wecom_wecomconfig_2 RENAME TO wecom_wecomconfig"
        ),
    ):
        assert deliver(approval_event("1")).content == b"success"
    assert CallbackEvent.objects.get().subject == "1"


@contextmanager
def aged_credentials() -> Iterator[None]:
    """What is remembered is older than the process trusts without looking."""
    configs._known.update({slug: (0.0, known) for slug, (_until, known) in configs._known.items()})
    yield
