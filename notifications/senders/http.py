"""One JSON request to an alert address, with an answer that is believed only when it is what the receiver speaks.

No error names the address: it holds the key.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError

from config.durable import NotYet, PermanentFailure, TemporaryFailure
from config.outbound import TooLarge, TooSlow, kept_session, read_body

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
LONGEST_ANSWER = 64 * 1024
PAUSE = 60.0
"""Seconds without another attempt after 429, where the receiver names none."""
LONGEST_PAUSE = 3600.0


def post_json(url: str, body: Mapping[str, Any]) -> bytes:
    """POST ``body``; the answer's content where its status is 2xx.

    Raises TemporaryFailure (no or half an answer, 408, 5xx), NotYet (429), PermanentFailure (any other status; a
    redirect is not followed, because it would carry the message to wherever it points).
    """
    failure: Exception
    try:
        status, headers, content = _exchange(url, body)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
        failure = PermanentFailure(_("The alert address cannot be used. Correct it, then press “Retry”."))
    except (requests.RequestException, HTTPError, TooSlow, TooLarge) as error:
        sentence = _("The alert address gave no answer (%(why)s). The system tries again by itself.")
        failure = TemporaryFailure(sentence % {"why": type(error).__name__})
    else:
        if 200 <= status < 300:
            return content
        failure = _of_status(status, headers.get("Retry-After", ""))
    raise failure  # out here: inside "except" the original, address and key included, would be its context


def _exchange(url: str, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
    parts = urlsplit(url)
    deadline = time.monotonic() + CONNECT_SECONDS + READ_SECONDS
    with kept_session(f"{parts.scheme}://{parts.netloc}").post(
        url,
        data=json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
        headers={"Content-Type": "application/json; charset=utf-8"},
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        allow_redirects=False,
        stream=True,
    ) as response:
        content = read_body(response, deadline=deadline, most=LONGEST_ANSWER)
        return response.status_code, response.headers, content


def _of_status(status: int, retry_after: str) -> Exception:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = float(retry_after) if retry_after.isdecimal() else PAUSE
        return too_fast(min(max(seconds, 1.0), LONGEST_PAUSE))
    sentence = _("The alert address answered with HTTP status %(status)d.") % {"status": status}
    if status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT:
        return TemporaryFailure(sentence)
    return PermanentFailure(f"{sentence} " + _("Correct the address, then press “Retry”."))


def too_fast(seconds: float = PAUSE) -> NotYet:
    """What a receiver's own flow control means."""
    return NotYet(_("The alert address takes no more messages for the moment."), retry_after=seconds)


def read_object(content: bytes) -> dict[str, Any]:
    """The JSON object that a robot answers. Raises TemporaryFailure for anything else: a proxy or a portal spoke."""
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise TemporaryFailure(_("What answered at the alert address was not the robot. The system tries again."))
    return answer


def code_of(answer: Mapping[str, Any], *names: str) -> int | None:
    """The first of ``names`` in the answer, as a number; None when there is none."""
    value = next((answer[name] for name in names if name in answer), None)
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        return None


def without_secret(url: str) -> tuple[str, str]:
    """The address as the robot knows it, and the signing secret that we let people append as ``&secret=…``."""
    parts = urlsplit(url.strip())
    query = parse_qsl(parts.query, keep_blank_values=True)
    secret = next((value for name, value in query if name == "secret"), "")
    kept = [(name, value) for name, value in query if name != "secret"]
    return urlunsplit(parts._replace(query=urlencode(kept))), secret
