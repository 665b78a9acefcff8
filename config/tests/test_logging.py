"""No secret in any log line, whoever writes it; one shape for all; the request id everywhere."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
import structlog
from django.conf import settings

from config.logging import MASK, learn_secrets, logging_config, redact_text, remember_secret

CANARY = "canary-7f3a9c1e55d24b0b"


@pytest.fixture(params=["json", "console"])
def log(request, monkeypatch):
    """What the real configuration writes, as text."""
    stream = io.StringIO()
    config = logging_config(log_format=request.param, level="DEBUG")
    formatter = config["formatters"]["structured"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"]
        )
    )
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    return stream


@pytest.mark.parametrize(
    "text",
    [
        f"GET /cgi-bin/gettoken?corpid=ww1&corpsecret={CANARY} HTTP/1.1",
        f"POST https://qyapi.weixin.qq.com/cgi-bin/oa/applyevent?access_token={CANARY}&debug=1",
        f"GET /project/7?token={CANARY}",
        f"GET /wecom/callback?msg_signature=abc&echostr={CANARY}",
        f'{{"errcode": 0, "access_token": "{CANARY}", "expires_in": 7200}}',
        f"{{'access_token': '{CANARY}'}}",
        f'{{"corpSecret":"{CANARY}","encodingAESKey" : "{CANARY}"}}',
        f"Authorization: Token {CANARY}",
        f"{{'Authorization': 'Bearer {CANARY}'}}",
        f"bearer {CANARY}",
        f"redis://user:{CANARY}@cache.example.com:6379/0 is away",
        f"redis://:{CANARY}@cache.example.com:6379/0 is away",
        f"postgres://quotes:{CANARY}@db/quotes",
        f"Cookie: sessionid={CANARY}; csrftoken={CANARY}",
        f"password={CANARY}",
        f"jsapi_ticket={CANARY}&noncestr=a&timestamp=1&url=https://quotes.example.com/m/approvals/1/start",
        f'{{"errcode": 0, "ticket": "{CANARY}", "expires_in": 7200}}',
        f'{{"agentid": 1000002, "response_code": "{CANARY}", "atall": 1}}',
    ],
)
def test_a_secret_is_recognised_by_the_words_around_it(text):
    assert CANARY not in redact_text(text)
    assert MASK in redact_text(text)


def test_an_api_token_is_recognised_by_its_own_shape():
    token = "qb_" + "0f" * 32
    assert token not in redact_text(f"somebody sent {token} in the body")


@pytest.mark.parametrize(
    "text",
    [
        "The token has expired; a new one is taken.",
        "GET /cgi-bin/ticket/get?type=agent_config",
        "errcode 40014: invalid access_token",
        "GET /api/quotes?status=pending&page=2",
        "https://qyapi.weixin.qq.com/cgi-bin/oa/getapprovaldetail",
        "mail to person@example.com at 10:30",
    ],
)
def test_ordinary_sentences_stay_as_they_are(text):
    assert redact_text(text) == text


def test_structured_values_lose_their_secrets(log):
    structlog.get_logger("wecom.client").warning(
        "call",
        access_token=CANARY,
        body={"nested": [{"corpSecret": CANARY, "name": "kept"}], "text": f"secret={CANARY}"},
        headers={"Authorization": f"Token {CANARY}"},
        raw=f"access_token={CANARY}".encode(),
        error=ValueError(f"https://x/?access_token={CANARY}"),
        secrets=[CANARY],
        attempts=3,
    )
    assert CANARY not in log.getvalue()
    assert "kept" in log.getvalue()
    assert "3" in log.getvalue()


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "django.request", "celery.worker", "_granian"])
def test_lines_of_libraries_go_through_the_same_door(log, name):
    logging.getLogger(name).critical('"GET %s HTTP/1.1" %s', f"/cgi-bin/gettoken?corpsecret={CANARY}", 200)
    assert CANARY not in log.getvalue()
    assert "/cgi-bin/gettoken" in log.getvalue()


def test_exception_text_loses_its_secrets(log):
    try:
        try:
            raise ConnectionError(f"https://x/cgi-bin/message/send?access_token={CANARY}")
        except ConnectionError as error:
            raise RuntimeError("call failed") from error
    except RuntimeError:
        logging.getLogger("anything").exception("went wrong")
        structlog.get_logger("anything").exception("went wrong again")
    assert log.getvalue().count("RuntimeError: call failed") == 2
    assert "ConnectionError" in log.getvalue()
    assert CANARY not in log.getvalue()


def test_a_remembered_secret_is_found_where_nothing_announces_it(log):
    remember_secret("plain-canary-40c1", "tiny")
    logging.getLogger("anything").warning("the value plain-canary-40c1 and the tiny word")
    assert "plain-canary-40c1" not in log.getvalue()
    assert "tiny word" in log.getvalue()


def test_the_secrets_of_the_settings_are_known(settings, log):
    settings.WECOM_SECRET = "wecom-canary-55aa"
    settings.REDIS_URL = "redis://:redis-canary-66bb@127.0.0.1:6379/0"
    learn_secrets(settings)
    logging.getLogger("anything").warning(
        "wecom-canary-55aa redis-canary-66bb %s %s", settings.SECRET_KEY, settings.FIELD_ENCRYPTION_KEYS[0]
    )
    for secret in ("wecom-canary-55aa", "redis-canary-66bb", settings.SECRET_KEY, settings.FIELD_ENCRYPTION_KEYS[0]):
        assert secret not in log.getvalue()


@pytest.mark.parametrize("log", ["json"], indirect=True)
def test_json_lines_carry_time_level_logger_and_context(log):
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logging.getLogger("wecom.views").warning("plain %s", "message")
        structlog.get_logger("wecom.views").info("event", quote="CIS-20240202-0001", title="报价")
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert first["event"] == "plain message"
    assert (first["level"], first["logger"], first["request_id"]) == ("warning", "wecom.views", "r-1")
    assert second["quote"] == "CIS-20240202-0001"
    assert "报价" in log.getvalue()
    assert second["timestamp"].endswith("Z")


def test_the_installed_handlers_are_the_ones_that_redact():
    handlers = settings.LOGGING["handlers"].values()
    assert [handler["formatter"] for handler in handlers] == ["structured"]
    assert all(not logger.get("handlers") for logger in settings.LOGGING["loggers"].values())
