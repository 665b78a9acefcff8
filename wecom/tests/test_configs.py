"""Which app is meant, and how long its credentials are remembered."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from wecom.callback import NoCredentials, UnknownAddress
from wecom.config_saving import save_config
from wecom.configs import callback_url, config_for_slug, credentials_for, default_config, forget_credentials
from wecom.crypto import CallbackError
from wecom.models import WeComConfig
from wecom.tests.inbound import database_away, make_config
from wecom.tests.vectors import AES_KEY, CORP_ID, ECHO, NONCE, OTHER_AES_KEY, OTHER_TOKEN, TIMESTAMP, TOKEN, crypto

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    forget_credentials()


@pytest.fixture
def bootstrap(settings: Settings) -> Settings:
    settings.WECOM_CORP_ID = CORP_ID
    settings.WECOM_AGENT_ID = 1000042
    settings.WECOM_SECRET = "app-secret"
    settings.WECOM_CALLBACK_TOKEN = TOKEN
    settings.WECOM_ENCODING_AES_KEY = AES_KEY
    settings.WECOM_APPROVAL_TEMPLATE_ID = "TplQuoteAAA"
    settings.WECOM_DEFAULT_APPLICANT = "li.mei"
    return settings


def test_the_settings_make_the_first_app_once(bootstrap: Settings) -> None:
    first, second = default_config(), default_config()
    assert first is not None
    assert first == second
    config = WeComConfig.objects.get()
    assert (config.corp_id, config.agent_id, config.is_default) == (CORP_ID, 1000042, True)
    assert (config.template_id, config.default_applicant) == ("TplQuoteAAA", "li.mei")
    assert config.secret.reveal() == "app-secret"
    assert (config.callback_token.reveal(), config.encoding_aes_key.reveal()) == (TOKEN, AES_KEY)


def test_a_process_that_was_slower_finds_the_app_of_another_one(bootstrap: Settings) -> None:
    def another_process_is_faster(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if not made:  # this look found nothing; now there is one
            made.append(True)
            made.append(make_config("default"))
        return answer

    made: list[Any] = []
    with connection.execute_wrapper(another_process_is_faster):
        found = default_config()
    assert found == made[1]
    assert WeComConfig.objects.count() == 1


def test_the_settings_do_not_bring_back_an_app_that_was_switched_off(bootstrap: Settings) -> None:
    make_config(enabled=False)
    assert default_config() is None
    assert WeComConfig.objects.count() == 1


def test_the_settings_do_not_change_an_app_that_exists(bootstrap: Settings) -> None:
    make_config(corp_id="wwother")
    found = default_config()
    assert found is not None
    assert found.corp_id == "wwother"


def test_without_settings_and_apps_there_is_no_default() -> None:
    assert default_config() is None
    assert not WeComConfig.objects.exists()


def test_the_default_is_the_marked_one_else_the_oldest() -> None:
    oldest = make_config("a")
    make_config("b")
    assert default_config() == oldest
    marked = make_config("default")
    assert default_config() == marked


def test_an_app_is_found_by_its_address_while_enabled() -> None:
    default, sales = make_config(), make_config("sales")
    make_config("off", enabled=False)
    assert config_for_slug("sales") == sales
    assert config_for_slug("") == default
    assert config_for_slug("off") is None
    assert config_for_slug("nobody") is None


def test_the_bare_address_is_shown_for_the_default_app_alone(settings: Settings) -> None:
    settings.WECOM_CALLBACK_URL, settings.API_BASE_URL = "https://quotes.example/hook", "https://quotes.example"
    first, sales = make_config(), make_config("sales")
    assert callback_url(first) == "https://quotes.example/hook"
    assert callback_url(sales) == "https://quotes.example/wecom/callback/sales"
    sales.is_default = True
    save_config(sales)
    assert callback_url(sales) == "https://quotes.example/hook"
    first.refresh_from_db()
    assert callback_url(first) == "https://quotes.example/wecom/callback/default"


def test_credentials_are_read_once_and_remembered() -> None:
    config = make_config()
    forget_credentials()
    with CaptureQueriesContext(connection) as queries:
        assert credentials_for("").config_id == config.pk
        assert credentials_for("").config_id == config.pk
    assert len(queries) == 1


def test_saving_an_app_makes_its_new_credentials_count_at_once() -> None:
    config = make_config()
    assert credentials_for("").primary.check(ECHO.signature, TIMESTAMP, NONCE, ECHO.encrypted)
    config.callback_token = "another"
    config.save()
    assert not credentials_for("").primary.check(ECHO.signature, TIMESTAMP, NONCE, ECHO.encrypted)


def test_deleting_an_app_closes_its_address_at_once() -> None:
    config = make_config("sales")
    assert credentials_for("sales").config_id == config.pk
    config.delete()
    with pytest.raises(UnknownAddress):
        credentials_for("sales")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"next_callback_token": OTHER_TOKEN, "next_encoding_aes_key": OTHER_AES_KEY}, (OTHER_TOKEN, OTHER_AES_KEY)),
        ({"next_callback_token": OTHER_TOKEN}, (OTHER_TOKEN, AES_KEY)),
        ({"next_encoding_aes_key": OTHER_AES_KEY}, (TOKEN, OTHER_AES_KEY)),
    ],
)
def test_the_next_pair_is_what_will_differ(fields: dict[str, str], expected: tuple[str, str] | None) -> None:
    make_config(**fields)
    secondary = credentials_for("").secondary
    if expected is None:
        assert secondary is None
        return
    assert secondary is not None
    encrypted = crypto(*expected).encrypt(b"x")
    assert secondary.decrypt(encrypted) == b"x"
    assert secondary.check(crypto(*expected).sign(TIMESTAMP, NONCE, encrypted), TIMESTAMP, NONCE, encrypted)


def test_half_a_pair_is_no_pair() -> None:
    make_config(encoding_aes_key="")
    with pytest.raises(NoCredentials):
        credentials_for("")


def test_a_secret_that_cannot_be_opened_says_so() -> None:
    make_config()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wecom_wecomconfig SET callback_token = %s", ["s1:00000000:AAAA"])
    forget_credentials()
    with pytest.raises(NoCredentials) as refused:
        credentials_for("")
    assert "cannot be opened" in refused.value.reason


@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_away_the_remembered_copy_serves_however_old() -> None:
    config = make_config()
    credentials_for("")
    from wecom import configs

    configs._known[""] = (0.0, configs._known[""][1])
    with database_away():
        assert credentials_for("").config_id == config.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("slug", ["", "default"])
def test_while_the_database_is_away_the_settings_serve_the_default_address(bootstrap: Settings, slug: str) -> None:
    with database_away():
        credentials = credentials_for(slug)
    assert credentials.config_id is None
    assert credentials.primary.decrypt(ECHO.encrypted).decode() == ECHO.message


@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_away_other_addresses_are_not_ready(bootstrap: Settings) -> None:
    with database_away(), pytest.raises(CallbackError) as refused:
        credentials_for("sales")
    assert refused.value.http_status == 503
