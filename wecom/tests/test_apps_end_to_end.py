"""Real processes: an app against the stand-in, each of its faults found; and keys that are lost at the start."""

from __future__ import annotations

import pytest
import requests
from django.utils import translation
from pytest_django.fixtures import Settings

from config.testing.ports import reserved_port
from config.testing.processes import Stack, wait_until
from wecom.keys import KEYS_DO_NOT_OPEN, plant_canary
from wecom.models import Capability, WeComConfig
from wecom.probe import explain, probe, probe_and_keep
from wecom.standin.options import DEFAULT_TEMPLATE_ID
from wecom.tests.inbound import make_config
from wecom.tests.phone import Phone
from wecom.tests.vectors import AES_KEY, CORP_ID, TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OTHER_KEY = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
FAULTS = [
    (Capability.APPROVALS, "oa/getapprovalinfo", 301055),
    (Capability.TEMPLATE, "oa/gettemplatedetail", 301088),
    (Capability.MESSAGES, "message/send", 48002),
    (Capability.CARDS, "message/send", 43012),
    (Capability.DIRECTORY, "department/simplelist", 48002),
    (Capability.CUSTOMERS, "externalcontact/get_follow_user_list", 84074),
    (Capability.TRUSTED_IP, "getcallbackip", 60020),
]


@pytest.fixture
def config(transactional_db: None) -> WeComConfig:
    return make_config(template_id=DEFAULT_TEMPLATE_ID)


@pytest.fixture
def phone(stack: Stack, config: WeComConfig, settings: Settings) -> Phone:
    """A stand-in that knows ``config``, and a web server whose callback address it calls."""
    port = reserved_port()
    callback_url = f"http://127.0.0.1:{port}/wecom/callback"
    known = {
        "WECOM_CORP_ID": CORP_ID,
        "WECOM_AGENT_ID": str(config.agent_id),
        "WECOM_SECRET": config.secret.reveal(),
        "WECOM_CALLBACK_TOKEN": TOKEN,
        "WECOM_ENCODING_AES_KEY": AES_KEY,
    }
    stack.environment |= known
    standin = stack.standin(callback_url=callback_url)
    stack.web(port=port)
    settings.WECOM_API_BASE_URL, settings.WECOM_CALLBACK_URL = standin.url, callback_url
    return Phone(standin.url)


def failing(config: WeComConfig) -> set[tuple[str, int | None]]:
    return {(one.capability.value, one.errcode) for one in probe_and_keep(config) if not one.ok}


def test_every_right_is_there_and_each_that_is_taken_away_is_found(phone: Phone, config: WeComConfig) -> None:
    assert failing(config) == set()
    assert phone.messages("li.mei") == []
    for capability, endpoint, errcode in FAULTS:
        phone.fault("errcode", endpoint=endpoint, errcode=errcode)
        (one,) = probe(config, [capability])  # without the token, which nobody may ask for so often
        phone.heal()
        assert (one.ok, one.errcode) == (False, errcode)
        with translation.override("en"):
            assert all(explain(one, config))
    phone.fault("wrong_secret", endpoint="gettoken")
    assert ("token", 40001) in failing(config)


def test_lost_keys_are_said_at_the_start_and_stop_nobody(stack: Stack, transactional_db: None) -> None:
    plant_canary()
    web = stack.web(FIELD_ENCRYPTION_KEYS=OTHER_KEY)
    worker = stack.worker(FIELD_ENCRYPTION_KEYS=OTHER_KEY)
    for process in (web.process, worker):
        wait_until(lambda process=process: KEYS_DO_NOT_OPEN in process.output, message=f"{process.name} complains")  # type: ignore[misc]
        assert "FIELD_ENCRYPTION_KEYS" in process.output
    assert requests.get(f"{web.url}/health", timeout=5).status_code == 200
    check = stack.manage("check", "--database", "default", FIELD_ENCRYPTION_KEYS=OTHER_KEY)
    wait_until(lambda: not check.running, timeout=30)
    assert check.popen.returncode == 1
    assert KEYS_DO_NOT_OPEN in check.output
