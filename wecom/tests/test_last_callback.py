"""Which pair of credentials was used last: noted by the worker, rarely, and never backwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wecom import last_callback
from wecom.config_saving import save_config
from wecom.inbox import process_due
from wecom.models import CallbackEvent, WeComConfig
from wecom.tests.inbound import deliver, make_config
from wecom.tests.vectors import CORP_ID, OTHER_AES_KEY, OTHER_TOKEN, crypto

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_noted() -> Iterator[None]:
    last_callback._noted.clear()
    yield
    last_callback._noted.clear()


def event(config: WeComConfig, key: str, **values: object) -> CallbackEvent:
    fields = {"event": "enter_agent", "payload": "<xml/>", "credential": "primary", **values}
    return CallbackEvent.objects.create(key=key, config=config, **fields)


def note(config: WeComConfig) -> tuple[object, str]:
    config.refresh_from_db()
    return config.last_callback_at, config.last_credential


def test_the_way_in_does_not_write_it() -> None:
    config = make_config()
    assert deliver("<xml><MsgType>event</MsgType><Event>enter_agent</Event></xml>").status_code == 200
    assert note(config) == (None, "")
    process_due()
    assert note(config) == (CallbackEvent.objects.get().created_at, "primary")


def test_many_events_are_one_note_a_minute() -> None:
    config = make_config()
    for number in range(60):
        event(config, f"e{number}")
    with CaptureQueriesContext(connection) as queries:
        process_due()
    event(config, "later")
    with CaptureQueriesContext(connection) as more:
        process_due()
    written = [one["sql"] for one in (*queries, *more) if 'UPDATE "wecom_wecomconfig"' in one["sql"]]
    assert len(written) == 1


def test_the_sync_assistants_pair_is_none_of_the_apps_two() -> None:
    config = make_config()
    event(config, "c", credential="contact")
    process_due()
    assert note(config) == (None, "")


def test_a_save_keeps_what_was_noted_meanwhile_unless_the_pairs_change() -> None:
    config = make_config()
    read_before = WeComConfig.objects.get()
    event(config, "e")
    process_due()
    at = CallbackEvent.objects.get().created_at
    read_before.name = "Renamed"
    save_config(read_before)
    assert note(config) == (at, "primary")
    config.next_callback_token = OTHER_TOKEN
    save_config(config)
    assert note(config) == (at, "")


def test_another_pair_is_noted_at_once() -> None:
    config = make_config()
    event(config, "a")
    process_due()
    newer = event(config, "b", credential="secondary")
    process_due()
    assert note(config) == (newer.created_at, "secondary")


def test_an_old_event_does_not_turn_it_back() -> None:
    config = make_config()
    newest = event(config, "b", credential="secondary")
    process_due()
    old = event(config, "a")
    CallbackEvent.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=1))
    process_due()
    assert note(config) == (newest.created_at, "secondary")


def test_the_next_pair_over_the_wire() -> None:
    config = make_config(next_callback_token=OTHER_TOKEN, next_encoding_aes_key=OTHER_AES_KEY)
    other = crypto(OTHER_TOKEN, OTHER_AES_KEY, CORP_ID)
    deliver("<xml><MsgType>event</MsgType><Event>enter_agent</Event></xml>", by=other)
    process_due()
    assert note(config)[1] == "secondary"
