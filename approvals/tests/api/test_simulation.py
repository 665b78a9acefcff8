"""POST /api/v1/wecom-callback/simulate-approval, against a running stand-in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from approvals.models import ApprovalInstance, Quote
from approvals.tests.api.conftest import client_of
from config.testing.ports import reserved_port
from wecom.standin.options import Options
from wecom.standin.server import StandinServer
from wecom.standin.world import World

PATH = "/api/v1/wecom-callback/simulate-approval"
Submitted = Callable[..., ApprovalInstance]


@pytest.fixture
def standin(tmp_path: Path, settings: Settings) -> Iterator[str]:
    """The URL of a running stand-in that this installation is connected to."""
    options = Options(
        database=tmp_path / "standin.sqlite3",
        corp_id="wwfacade0123456789",
        secret="app-secret",
        agent_id=1000042,
        token="QuoteDeskTok2026",
        aes_key="q7Rw2ZkT0mVx9LbN4cJpYf6HsGd1UeAo3iBt8WvKyE0",
        port=0,
    )
    server = StandinServer(World(options, time.time))
    server.start_in_background()
    settings.WECOM_STANDIN_URL = settings.WECOM_API_BASE_URL = server.url
    yield server.url
    server.stop()


@pytest.fixture
def in_wecom(standin: str, quote: Quote, submitted: Submitted) -> ApprovalInstance:
    """An approval that is open here and on the stand-in."""
    seed = {"third_nos": [quote.quote_number], "creator": "li.mei", "approvers": ["wang.boss"]}
    added = requests.post(f"{standin}/standin/api/bulk", json=seed, timeout=10).json()["approvals"]
    return submitted(approvers=["wang.boss"], sp_no=added[0]["sp_no"])


@pytest.mark.parametrize(("action", "there"), [("approved", "approved"), ("rejected", "rejected"), ("cancelled", None)])
def test_the_button_is_pressed_on_the_stand_in(
    in_wecom: ApprovalInstance, standin: str, li: User, action: str, there: str | None
) -> None:
    answer = client_of(li).post(PATH, {"quote_number": in_wecom.quote.quote_number, "action": action})
    assert answer.status_code == 202, answer.content
    assert (answer.json()["id"], answer.json()["status"]) == (in_wecom.pk, "pending")  # it comes back as a callback
    approval = requests.get(f"{standin}/standin/api/approvals/{in_wecom.sp_no}", timeout=10).json()
    assert approval["status"] == (there or "cancelled")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"quote_number", "action"}),
        ({"quote_number": "CIS-1", "action": "eaten"}, {"action"}),
        ({"quote_number": "\x00", "action": "approved"}, {"quote_number"}),
        ({"quote_number": ["CIS-1"], "action": "approved"}, {"quote_number"}),
    ],
)
def test_bad_input_is_named(standin: str, ada: User, body: dict[str, Any], named: set[str]) -> None:
    answer = client_of(ada).post(PATH, body)
    assert answer.status_code == 400
    assert set(answer.json()) == named


def test_a_quote_that_is_not_in_wecom_is_a_409(standin: str, quote: Quote, li: User) -> None:
    answer = client_of(li).post(PATH, {"quote_number": quote.quote_number, "action": "approved"})
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (409, "wrong_state", "not_submitted")


def test_an_invisible_or_unknown_quote_is_a_404(in_wecom: ApprovalInstance, zhao: User, ada: User) -> None:
    body = {"quote_number": in_wecom.quote.quote_number, "action": "approved"}
    assert client_of(zhao).post(PATH, body).status_code == 404
    assert client_of(ada).post(PATH, body | {"quote_number": "CIS-20260105-9999"}).status_code == 404


def test_a_stand_in_that_is_away_is_a_502(in_wecom: ApprovalInstance, li: User, settings: Settings) -> None:
    settings.WECOM_STANDIN_URL = f"http://127.0.0.1:{reserved_port()}"
    answer = client_of(li).post(PATH, {"quote_number": in_wecom.quote.quote_number, "action": "approved"})
    assert (answer.status_code, answer.json()["code"]) == (502, "standin_failed")


def test_with_the_real_wecom_the_address_does_not_exist(submitted: Submitted, li: User) -> None:
    body = {"quote_number": submitted(sp_no="S1").quote.quote_number, "action": "approved"}
    assert client_of(li).post(PATH, body).status_code == 404
    assert APIClient().post(PATH, body).status_code == 401
