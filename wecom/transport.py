"""One HTTP exchange with WeCom: keep-alive, time-outs, and the question whether anything was sent.

Knows nothing of errcodes or tokens. Its errors never carry the address (the token is in its query), not even as the
exception's context.
"""

from __future__ import annotations

import json
import math
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import requests
import structlog
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ReadTimeoutError, SSLError

from config.outbound import TooLarge, TooSlow, kept_session, read_body
from wecom import metrics
from wecom.errcodes import IT_REPEATS, Text
from wecom.errors import OutcomeUnknown, RetryableError, WeComError

logger = structlog.get_logger(__name__)

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
"""Longest silence while waiting for an answer; one that drips in is cut off when both times together have passed."""
LONGEST_ANSWER = 10 * 1024 * 1024

_patience: ContextVar[float | None] = ContextVar("wecom_patience", default=None)

_CHECK_ADDRESS = _("Check WECOM_API_BASE_URL, the proxy and the firewall; the system tries again by itself.")


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Inside, no exchange waits longer than ``seconds`` for a connection, nor for an answer: a person looks on.

    Belongs to the context: a thread has it if it runs in a copy (``contextvars.copy_context``).
    """
    before = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(before)


def exchange(
    method: str,
    endpoint: str,
    *,
    params: Mapping[str, str],
    body: Mapping[str, Any] | None = None,
    writes: bool = False,
) -> dict[str, Any]:
    """Call ``endpoint`` (``oa/applyevent``) and return the JSON object that came back, whatever its errcode.

    Raises RetryableError when nothing was sent, or when the call only reads; OutcomeUnknown when a call that
    ``writes`` was sent but not readably answered.
    """
    try:
        status, content = _send(method, endpoint, params, body)
    except (requests.RequestException, HTTPError) as error:
        failure = _failure(error, endpoint, writes)
    except TooSlow:
        failure = _unanswered(_("WeCom's answer took too long."), endpoint, writes)
    except TooLarge:
        failure = _unanswered(_("WeCom's answer was too large."), endpoint, writes)
    else:
        answer = _parse(content) if status == 200 else None
        if answer is not None:
            return answer
        sentence = format_lazy(_("What answered was not WeCom's API (HTTP status {status})."), status=status)
        failure = _unanswered(sentence, endpoint, writes)
    raise failure  # out here: inside "except" the original, address and token included, would be its context


def log_call(endpoint: str, started: float, error: WeComError | None = None) -> None:
    """Count an exchange that began at ``started`` (monotonic), and log one line: endpoint, errcode, milliseconds,
    WeCom's hint. Whoever looks on (``patience``) is told the result by the caller, and provokes refusals to learn from
    them: those are no warnings."""
    seconds = time.monotonic() - started
    metrics.count_call(endpoint, 0 if error is None else error.errcode, seconds)
    milliseconds = round(seconds * 1000)
    if error is None:
        logger.info("wecom_call", endpoint=endpoint, errcode=0, ms=milliseconds)
        return
    log = logger.warning if _patience.get() is None else logger.info
    log(
        "wecom_call",
        endpoint=endpoint,
        errcode=error.errcode,
        ms=milliseconds,
        hint=error.hint,
        failure=type(error).__name__,
    )


def _send(method: str, endpoint: str, params: Mapping[str, str], body: Mapping[str, Any] | None) -> tuple[int, bytes]:
    data = None
    if body is not None:
        # Real UTF-8, no \\uXXXX: WeCom may refuse escapes with 40033. A lone surrogate has no UTF-8; it becomes "?".
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    longest = _patience.get() or math.inf
    connect, read = min(CONNECT_SECONDS, longest), min(READ_SECONDS, longest)
    deadline = time.monotonic() + connect + read
    with kept_session(_base_url()).request(
        method,
        f"{_base_url()}/cgi-bin/{endpoint}",
        params=params,
        data=data,
        headers={"Content-Type": "application/json; charset=utf-8"} if data else None,
        timeout=(connect, read),
        allow_redirects=False,  # a redirect would carry the token to wherever it points
        stream=True,
    ) as response:
        return response.status_code, read_body(response, deadline=deadline, most=LONGEST_ANSWER)


def _parse(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _failure(error: Exception, endpoint: str, writes: bool) -> RetryableError:
    if _never_sent(error):
        return RetryableError(_("WeCom cannot be reached."), remedy=_CHECK_ADDRESS, endpoint=endpoint)
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return _unanswered(_("WeCom did not answer in time."), endpoint, writes)
    return _unanswered(_("The connection to WeCom broke before the answer was complete."), endpoint, writes)


_BEFORE_SENDING = (
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)


def _never_sent(error: Exception) -> bool:
    """Whether the request certainly never left: no address, no connection, no proxy, no trusted certificate."""
    if isinstance(error, _BEFORE_SENDING):
        return True
    wrapped = error.args[0] if error.args else None
    reason = wrapped.reason if isinstance(wrapped, MaxRetryError) else wrapped
    if isinstance(reason, SSLError):
        # Any other TLS failure may also come while the answer is read, after WeCom has acted.
        return isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, NewConnectionError)


def _unanswered(sentence: Text, endpoint: str, writes: bool) -> RetryableError:
    error_class = OutcomeUnknown if writes else RetryableError
    return error_class(sentence, remedy=IT_REPEATS, endpoint=endpoint)


def _base_url() -> str:
    return settings.WECOM_API_BASE_URL.rstrip("/").removesuffix("/cgi-bin")
