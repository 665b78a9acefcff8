"""One shape for every log line, ours and the libraries', and no secret in any of them.

``logging_config`` makes Django's LOGGING: JSON lines for machines, coloured lines for people. All loggers end in the
same formatter, so ``redact`` sees everything: structured values, plain messages, exception text. It knows secrets in
three ways: by the name of a field, by the shape of a text (``access_token=…``, ``Authorization: …``), and by value
(``remember_secret``), which also finds them in places nobody thought of.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from structlog.typing import EventDict, Processor

MASK = "******"
SHORTEST_SECRET = 8
"""Characters; replacing shorter values everywhere would garble ordinary words."""

_SECRET_NAME = re.compile(
    r"(?i)(secret|token|password|passwd|authorization|cookie|api_?key|aes_?key|encryption_keys?|echostr|sessionid|ticket|"
    r"response_?code)s?$"
)
_NAMES_IN_TEXT = (
    r"(?:access_token|corpsecret|suite_ticket|refresh_token|token|secret|password|passwd|echostr|api_?key|"
    r"encoding_?aes_?key|sessionid|csrftoken|ticket|response_?code)"
)
_PATTERNS: list[tuple[re.Pattern[str], str]] = [
    # access_token=… in URLs, forms, cookies, key=value texts
    (re.compile(rf"(?i)((?:^|[^a-z]){_NAMES_IN_TEXT}=)[^\s&;,'\"<>)\]}}]+"), rf"\1{MASK}"),
    # "access_token": "…" in JSON and in the repr of a dict; <Token><![CDATA[…]]> has no secrets of ours
    (re.compile(rf"(?i)(['\"][a-z_]*{_NAMES_IN_TEXT}['\"]\s*:\s*['\"])(?:[^'\"\\]|\\.)+"), rf"\1{MASK}"),
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:(?:token|bearer|basic)\s+)?)[^\s'\",;]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer\s+)[a-z0-9._~+/-]{8,}=*"), rf"\1{MASK}"),
    (re.compile(r"\bqb_[0-9a-f]{16,}"), MASK),
    # ?code=…&state=…: back from WeCom's log-in
    (re.compile(r"(?i)([?&](?:code|state)=)[^\s&;,'\"<>)\]}]+"), rf"\1{MASK}"),
    # scheme://user:password@host
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)"), rf"\1{MASK}"),
]

_lock = threading.Lock()
_known: set[str] = set()
_known_pattern: re.Pattern[str] | None = None


def remember_secret(*values: str) -> None:
    """From now on these texts are masked wherever they occur in a log line of this process."""
    global _known_pattern
    new = {value for value in values if len(value) >= SHORTEST_SECRET} - _known
    if not new:
        return
    with _lock:
        _known.update(new)
        # longest first, so that a secret which contains another one disappears whole
        _known_pattern = re.compile("|".join(re.escape(value) for value in sorted(_known, key=len, reverse=True)))


def learn_secrets(settings: Any) -> None:
    """Remember every secret that the settings hold."""
    remember_secret(
        settings.SECRET_KEY,
        *settings.FIELD_ENCRYPTION_KEYS,
        settings.WECOM_SECRET,
        settings.WECOM_CALLBACK_TOKEN,
        settings.WECOM_ENCODING_AES_KEY,
        settings.METRICS_TOKEN,
        *settings.PROJECT_TOKEN_KEYS,
        settings.REMOTE_API_KEY,
        settings.SMS_ACCESS_KEY_SECRET,
        settings.EMAIL_HOST_PASSWORD or "",
        *settings.ALERT_URLS,
        settings.DATABASES["default"].get("PASSWORD") or "",
        urlsplit(settings.REDIS_URL).password or "",
    )


def redact_text(text: str) -> str:
    """``text`` with every secret that can be recognised replaced by ``MASK``."""
    if _known_pattern is not None:
        text = _known_pattern.sub(MASK, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {key: _redact_named(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact_value(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))  # what the renderer would have done, but in time


def _redact_named(name: Any, value: Any) -> Any:
    if isinstance(name, str) and _SECRET_NAME.search(name) and isinstance(value, str | bytes | list | tuple) and value:
        return MASK
    return _redact_value(value)


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The structlog processor; the last one before rendering."""
    return {key: _redact_named(key, value) for key, value in event.items()}


def _shared(log_format: str) -> list[Processor]:
    """What every line gets before it is rendered, whoever writes it."""
    json = log_format == "json"
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if json else "%H:%M:%S", utc=json),
        structlog.processors.StackInfoRenderer(),
    ]


def _renderer(log_format: str) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    # FORCE_COLOR: the demo's runner stands between this process and the terminal
    colours = sys.stderr.isatty() or bool(os.environ.get("FORCE_COLOR"))
    return structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=28, pad_level=False)


def logging_config(*, log_format: str, level: str) -> dict[str, Any]:
    """Django's LOGGING for ``log_format`` ``json`` or ``console``; configures structlog on the way."""
    shared = _shared(log_format)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact,
                    _renderer(log_format),
                ],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": level, "handlers": [], "propagate": True},
            # one line per request comes from django_structlog; these would repeat it
            "django.server": {"level": "WARNING", "handlers": [], "propagate": True},
            "django.request": {"level": "CRITICAL", "handlers": [], "propagate": True},
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }
