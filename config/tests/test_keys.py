"""Rotation of the sealing keys: everything, once, whatever happens meanwhile; and never over what cannot be opened."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import translation
from pytest_django.fixtures import Settings

from config import checks, keys
from config.doctor import Result
from config.sealed import is_current
from notifications.models import AlertAddress
from projects.models import RemoteSource
from wecom import keys as canary
from wecom.models import KeyCanary, WeComConfig

OLD = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NEW = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
LOST = "bG9zdGxvc3Rsb3N0bG9zdGxvc3Rsb3N0bG9zdGxvc3Q="
COLUMNS = {
    "wecom_wecomconfig": ("secret", "callback_token", "encoding_aes_key", "next_callback_token"),
    "projects_remotesource": ("api_key",),
    "wecom_keycanary": ("sealed",),
}


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _canary_of_its_own(db: None, settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    KeyCanary.objects.all().delete()
    canary.plant_canary()


@pytest.fixture
def app() -> WeComConfig:
    return make_app("a")


def make_app(slug: str) -> WeComConfig:
    return WeComConfig.objects.create(
        slug=slug, name=slug, corp_id="ww1", agent_id=1, secret=f"secret-{slug}", callback_token=f"token-{slug}"
    )


def stored(table: str, column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")  # noqa: S608 - names of this module
        return [str(value) for (value,) in cursor.fetchall()]


def everything() -> dict[str, list[str]]:
    return {f"{table}.{column}": stored(table, column) for table, columns in COLUMNS.items() for column in columns}


def command() -> str:
    out = io.StringIO()
    call_command("rotate_keys", stdout=out, stderr=out, no_color=True)
    return out.getvalue()


class TestRotation:
    def test_every_sealed_column_of_every_table_is_found(self) -> None:
        assert {model._meta.label for model in keys.sealed_models()} == {
            "notifications.AlertAddress",
            "projects.RemoteSource",
            "wecom.KeyCanary",
            "wecom.WeComConfig",
        }

    def test_afterwards_only_the_first_key_is_needed(self, app: WeComConfig, settings: Settings) -> None:
        RemoteSource.objects.create(slug="r", name="r", base_url="https://library.example", api_key="api-key")
        settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
        assert "4 secrets sealed anew, 0 were" in command()
        settings.FIELD_ENCRYPTION_KEYS = [NEW]
        row = WeComConfig.objects.get()
        assert (row.secret.reveal(), row.callback_token.reveal()) == ("secret-a", "token-a")
        assert row.next_callback_token.reveal() == ""
        assert RemoteSource.objects.get().api_key.reveal() == "api-key"
        assert canary.canary_trouble() == ""

    def test_a_second_one_changes_no_byte(self, app: WeComConfig, settings: Settings) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
        command()
        before = everything()
        assert "0 secrets sealed anew, 3 were" in command()
        assert everything() == before

    def test_nothing_but_the_ciphertext_changes(self, app: WeComConfig, settings: Settings) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
        command()
        assert WeComConfig.objects.get().updated_at == app.updated_at

    def test_one_that_was_interrupted_goes_on_where_it_stood(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(5):
            make_app(f"a{number}")
        settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
        monkeypatch.setattr(keys, "BATCH", 2)
        told: list[int] = []

        def stop(rows: int) -> None:
            told.append(rows)
            if len(told) == 3:  # the canary, then two of three batches of apps
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            keys.rotate(stop)
        assert [is_current(text) for text in stored("wecom_wecomconfig", "secret")] == [True] * 4 + [False]
        findings = keys.rotate()
        assert (findings.older, findings.current, findings.broken) == (2, 9, [])

    def test_a_secret_that_is_entered_meanwhile_stays(
        self, app: WeComConfig, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
        real = keys._replace

        def overtaken(secret: keys._Secret, plaintext: str) -> bool:
            if secret.field.name == "secret":
                row = WeComConfig.objects.get()
                row.secret = "entered meanwhile"
                row.save()
            return real(secret, plaintext)

        monkeypatch.setattr(keys, "_replace", overtaken)
        assert keys.rotate().overtaken == 1
        assert WeComConfig.objects.get().secret.reveal() == "entered meanwhile"


class TestWhatCannotBeOpened:
    def test_it_is_named_and_kept_and_the_rest_is_done(self, app: WeComConfig, settings: Settings) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [LOST]
        broken = make_app("broken")
        kept = stored("wecom_wecomconfig", "secret")[1]
        settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
        out = io.StringIO()
        with pytest.raises(CommandError, match="2 secrets cannot be opened") as caught:
            call_command("rotate_keys", stdout=out, stderr=out, no_color=True)
        assert caught.value.returncode == 1
        assert f"“broken” ({broken.pk}), secret: sealed with key" in out.getvalue()
        assert "secret-" not in out.getvalue()
        assert stored("wecom_wecomconfig", "secret")[1] == kept
        settings.FIELD_ENCRYPTION_KEYS = [NEW, LOST]
        assert [row.secret.reveal() for row in WeComConfig.objects.order_by("pk")] == ["secret-a", "secret-broken"]

    def test_a_changed_value_is_found_though_its_key_is_known(self, app: WeComConfig) -> None:
        ciphertext = stored("wecom_wecomconfig", "secret")[0]
        with connection.cursor() as cursor:
            cursor.execute("UPDATE wecom_wecomconfig SET secret = %s", [ciphertext[:-4] + "AAAA"])
        findings = keys.rotate()
        assert [str(broken.field.name) for broken in findings.broken] == ["secret"]

    def test_when_a_lost_keys_secrets_were_entered_again_the_canary_is_renewed(
        self, app: WeComConfig, settings: Settings
    ) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [NEW]
        with pytest.raises(CommandError):
            command()
        assert canary.canary_trouble()
        row = WeComConfig.objects.get()
        row.secret, row.callback_token = "again", "again2"
        row.save()
        assert "Only the first key is needed" in command()
        assert canary.canary_trouble() == ""


class TestCanary:
    def found(self) -> list[str]:
        return [str(message.msg) for message in run_checks(tags=[checks.AT_START], databases=["default"])]

    def test_keys_that_fit_are_silent(self) -> None:
        assert self.found() == []

    def test_a_lost_key_is_an_error_that_names_setting_and_key(self, settings: Settings) -> None:
        key_id = stored("wecom_keycanary", "sealed")[0].split(":")[1]
        settings.FIELD_ENCRYPTION_KEYS = [NEW]
        (sentence,) = self.found()
        assert "FIELD_ENCRYPTION_KEYS" in sentence and key_id in sentence

    def test_without_a_database_named_nothing_is_asked(
        self, settings: Settings, django_assert_num_queries: object
    ) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [NEW]
        with django_assert_num_queries(0):  # type: ignore[operator]
            assert [m for m in run_checks() if m.id == canary.KEYS_DO_NOT_OPEN] == []

    def test_none_is_planted_where_something_is_closed(self, app: WeComConfig, settings: Settings) -> None:
        KeyCanary.objects.all().delete()
        settings.FIELD_ENCRYPTION_KEYS = [NEW]
        canary.plant_canary()
        assert not KeyCanary.objects.exists()

    def test_its_word_does_not_vanish_from_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        import logging

        assert canary.canary_trouble() == ""
        logging.getLogger("any").warning("Quotebridge runs")
        formatter = logging.getLogger().handlers[0].formatter
        assert formatter is not None and "Quotebridge runs" in formatter.format(caplog.records[-1])


class TestDoctor:
    def test_all_open(self, app: WeComConfig) -> None:
        assert canary.examine() == Result(True, "FIELD_ENCRYPTION_KEYS open all 3 secrets.")

    def test_an_older_key_is_still_needed(self, app: WeComConfig, settings: Settings) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
        result = canary.examine()
        assert not result.ok and "3 secrets are sealed with an older key" in str(result.sentence)
        assert "rotate_keys" in str(result.remedy)

    def test_a_lost_key(self, app: WeComConfig, settings: Settings) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [NEW]
        result = canary.examine()
        assert not result.ok and "3 secrets cannot be opened" in str(result.sentence)


def test_alert_targets_too_are_rotated(settings: Settings) -> None:
    names = {column.name for column in keys._columns(AlertAddress)}
    assert names == {"url"}
