"""Secrets at rest."""

from __future__ import annotations

import logging

import pytest
from django.core import serializers
from django.db import connection

from config.sealed import MASK, SealBroken, seal, unseal
from wecom.models import WeComConfig

OLD = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NEW = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="


@pytest.fixture(autouse=True)
def keys(settings: object) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]  # type: ignore[attr-defined]


@pytest.fixture
def app(db: None) -> WeComConfig:
    WeComConfig.objects.create(slug="a", name="a", corp_id="ww1", agent_id=1, secret="canary-secret")
    return WeComConfig.objects.get()


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM wecom_wecomconfig")
        return str(cursor.fetchone()[0])


def test_the_database_holds_ciphertext_and_the_row_reveals_it(app: WeComConfig) -> None:
    assert "canary" not in stored()
    assert app.secret.reveal() == "canary-secret"


def test_printing_a_row_or_dumping_it_shows_nothing(app: WeComConfig) -> None:
    shown = f"{app.secret} {app.secret!r} {app.__dict__} " + serializers.serialize("json", [app])
    assert "canary" not in shown and stored() not in shown
    assert str(app.secret) == MASK


def test_saving_without_touching_the_secret_keeps_the_ciphertext(app: WeComConfig) -> None:
    before = stored()
    app.name = "b"
    app.save()
    assert stored() == before


def test_a_row_that_cannot_be_opened_is_readable_and_never_overwritten(app: WeComConfig, settings: object) -> None:
    before = stored()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]  # type: ignore[attr-defined]
    row = WeComConfig.objects.get()
    assert str(row.secret) == MASK
    row.save()
    assert stored() == before
    with pytest.raises(SealBroken):
        row.secret.reveal()


def test_after_rotation_the_first_key_seals_and_the_old_one_still_opens(app: WeComConfig, settings: object) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]  # type: ignore[attr-defined]
    row = WeComConfig.objects.get()
    row.secret = row.secret.reveal()
    row.save()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]  # type: ignore[attr-defined]
    assert WeComConfig.objects.get().secret.reveal() == "canary-secret"


def test_a_value_cannot_be_moved_to_another_column_or_altered() -> None:
    sealed = seal("x", "wecom.wecomconfig.secret")
    with pytest.raises(SealBroken):
        unseal(sealed, "wecom.wecomconfig.callback_token")
    with pytest.raises(SealBroken):
        unseal(sealed[:-4] + "AAAA", "wecom.wecomconfig.secret")
    with pytest.raises(SealBroken):
        unseal("plain text", "wecom.wecomconfig.secret")


def test_what_was_revealed_never_shows_in_a_log_line(app: WeComConfig, caplog: pytest.LogCaptureFixture) -> None:
    opened = app.secret.reveal()
    logging.getLogger("some.library").warning("sent %s to the wrong place", opened)
    formatter = logging.getLogger().handlers[0].formatter
    assert formatter is not None
    assert "canary" not in formatter.format(caplog.records[-1])
