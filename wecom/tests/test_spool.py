"""The spool: durable, bounded, replayed once, whoever replays it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from wecom import spool, tasks
from wecom.configs import forget_credentials
from wecom.models import CallbackEvent, RefusedCallback, WeComConfig
from wecom.spool import SpoolFull, replay_spool
from wecom.tests.inbound import database_away, deliver, delivery, make_config
from wecom.tests.vectors import AES_KEY, CORP_ID, TOKEN, approval_event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR_DIR = tmp_path
    forget_credentials()
    return tmp_path / "spool"


@pytest.fixture
def config() -> WeComConfig:
    return make_config()


@pytest.fixture
def small_spool() -> Iterator[None]:
    usual = spool.MOST_FILES, spool.MOST_BYTES
    spool.MOST_FILES, spool.MOST_BYTES = 3, 10_000
    yield
    spool.MOST_FILES, spool.MOST_BYTES = usual


def keep(sp_no: str, *, slug: str = "", age: float = 0) -> None:
    query, body = delivery(approval_event(sp_no), age=age)
    spool.keep(slug, query, body)


def waiting(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.callback"))


def subjects() -> list[str]:
    return list(CallbackEvent.objects.order_by("id").values_list("subject", flat=True))


def test_spooled_callbacks_are_replayed_in_the_order_they_came(config: WeComConfig, folder: Path) -> None:
    for number in range(5):
        keep(str(number))
    assert len(waiting(folder)) == 5
    assert replay_spool() == 5
    assert subjects() == list("01234")
    assert waiting(folder) == []
    assert replay_spool() == 0


def test_a_replayed_event_is_as_if_it_had_been_stored_at_once(config: WeComConfig) -> None:
    before = timezone.now()
    keep("1")
    after = timezone.now()
    replay_spool()
    row = CallbackEvent.objects.get()
    assert (row.config, row.status, row.payload) == (config, "pending", approval_event("1"))
    assert before <= row.created_at <= after


def test_an_outage_of_days_loses_nothing(config: WeComConfig) -> None:
    keep("1", age=timedelta(days=3).total_seconds())
    assert replay_spool() == 1
    assert subjects() == ["1"]


def test_what_lies_on_the_disk_is_still_encrypted(folder: Path) -> None:
    keep("202601010001")
    (path,) = waiting(folder)
    content = path.read_text()
    assert "202601010001" not in content
    assert set(json.loads(content)["query"]) == {"msg_signature", "timestamp", "nonce"}
    assert folder.stat().st_mode & 0o077 == 0


def test_no_unfinished_file_is_left_or_replayed(config: WeComConfig, folder: Path) -> None:
    keep("1")
    assert [path.suffix for path in folder.iterdir()] == [".callback"]
    (folder / "1767225600.000000-10-abc.part").write_text("{")
    assert replay_spool() == 1
    assert len(list(folder.iterdir())) == 1


def test_replaying_without_a_spool_does_nothing(folder: Path) -> None:
    assert replay_spool() == 0
    assert not folder.exists()


def test_an_event_that_is_stored_already_is_replayed_without_effect(config: WeComConfig, folder: Path) -> None:
    deliver(approval_event("1"))
    keep("1")
    assert replay_spool() == 1
    assert subjects() == ["1"]
    assert waiting(folder) == []


def test_each_address_is_replayed_to_its_own_app(config: WeComConfig) -> None:
    sales = make_config("sales")
    keep("1")
    keep("2", slug="sales")
    replay_spool()
    assert dict(CallbackEvent.objects.values_list("subject", "config")) == {"1": config.pk, "2": sales.pk}


def test_the_number_of_files_is_bounded(small_spool: None, folder: Path) -> None:
    for number in range(3):
        keep(str(number))
    with pytest.raises(SpoolFull) as full:
        keep("4")
    assert full.value.http_status == 503
    assert len(list(folder.iterdir())) == 3


def test_the_bytes_are_bounded(small_spool: None, folder: Path) -> None:
    keep("1")
    query, body = delivery(approval_event("2", extra="x" * 8000))
    with pytest.raises(SpoolFull):
        spool.keep("", query, body)
    assert len(list(folder.iterdir())) == 1


def test_a_spool_that_cannot_be_written_is_full(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "a file"
    settings.VAR_DIR.write_text("not a folder")
    with pytest.raises(SpoolFull):
        keep("1")


def test_a_file_that_no_longer_verifies_is_set_aside(config: WeComConfig, folder: Path) -> None:
    keep("1")
    keep("2", slug="gone")
    config.callback_token = "another"
    config.save()
    assert replay_spool() == 0
    assert waiting(folder) == []
    assert len(list((folder / "refused").iterdir())) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"slug": "", "query": {}, "body": "%", "received_at": "x"}'])
def test_a_damaged_file_is_set_aside_and_the_next_is_replayed(config: WeComConfig, folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "0000000000.000000-1-abc.callback").write_text(content)
    keep("1")
    assert replay_spool() == 1
    assert waiting(folder) == []
    assert len(list((folder / "refused").iterdir())) == 1


def test_a_file_that_the_disk_does_not_give_stays_and_the_next_is_replayed(config: WeComConfig, folder: Path) -> None:
    unreadable = folder / "0000000000.000000-1-abc.callback"
    unreadable.mkdir(parents=True)  # IsADirectoryError: an OSError for root too, whom no permission stops
    keep("1")
    assert tasks.sweep()["replayed"] == 1
    assert subjects() == ["1"]
    assert waiting(folder) == [unreadable]


def test_a_spool_that_cannot_be_listed_does_not_stop_the_sweep(
    config: WeComConfig, folder: Path, tmp_path: Path
) -> None:
    deliver(approval_event("1"))
    folder.symlink_to(tmp_path / ("x" * 300))  # ENAMETOOLONG, for root too
    assert tasks.sweep() == {"replayed": 0, "due": 1, "contacts": 0, "runs": 0, "forgotten": 0}


def test_without_credentials_the_files_wait(folder: Path) -> None:
    keep("1")
    assert replay_spool() == 0
    assert len(waiting(folder)) == 1
    make_config()
    assert replay_spool() == 1


@pytest.mark.django_db(transaction=True)
def test_while_the_database_stays_away_the_files_wait(folder: Path) -> None:
    make_config()
    deliver(approval_event("0"))
    with database_away():
        keep("1")
        assert replay_spool() == 0
        assert len(waiting(folder)) == 1
    assert replay_spool() == 1
    assert subjects() == ["0", "1"]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_never_saw_the_database_reads_with_the_settings_and_spools(
    folder: Path, settings: Settings
) -> None:
    settings.WECOM_CORP_ID, settings.WECOM_CALLBACK_TOKEN, settings.WECOM_ENCODING_AES_KEY = CORP_ID, TOKEN, AES_KEY
    with database_away():
        assert deliver(approval_event("1")).content == b"success"
        assert deliver(approval_event("1"), path="/wecom/callback/sales").status_code == 503
    assert len(waiting(folder)) == 1
    make_config()
    assert replay_spool() == 1
    assert subjects() == ["1"]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_knows_no_credentials_is_not_ready(folder: Path) -> None:
    with database_away():
        assert deliver(approval_event("1")).status_code == 503
    assert not folder.exists()


@pytest.mark.django_db(transaction=True)
def test_many_processes_that_replay_at_once_store_each_event_once(folder: Path) -> None:
    make_config()
    for number in range(40):
        keep(str(number))

    def replay(_: int) -> int:
        try:
            return replay_spool()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(replay, range(4))) >= 40
    assert sorted(subjects(), key=int) == list(map(str, range(40)))
    assert waiting(folder) == []


def test_the_sweep_replays_wakes_and_forgets(config: WeComConfig) -> None:
    keep("1")
    RefusedCallback.objects.bulk_create(RefusedCallback(method="GET", code=400, reason=str(n)) for n in range(503))
    # what is replayed wakes the worker itself
    assert tasks.sweep() == {"replayed": 1, "due": 0, "contacts": 0, "runs": 0, "forgotten": 3}
    assert set(RefusedCallback.objects.order_by("id").values_list("reason", flat=True)[:1]) == {"3"}
