"""A callback as WeCom sends it, sent by us: signed, through the public address; and what came back, or why nothing."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import requests
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, ReadTimeoutError

from config.outbound import TooLarge, TooSlow, read_body
from wecom.callback import CHECK_EVENT
from wecom.crypto import CallbackCrypto
from wecom.findings import Finding

CONNECT_SECONDS = 3.0
PATIENCE = 5.0
"""Seconds until an answer must be complete: what WeCom gives an event (doc 90238)."""
MOST_ANSWER = 64 * 1024
NONCE = "quotebridge"
"""How the nonces of our own requests begin, by which they are told from WeCom's among the refused ones."""
ECHO_LETTERS = 40
"""With a corp ID of the usual 18 letters 96 bytes are sealed: a multiple of three, hence Base64 without "="."""


class NoAnswer(Exception):
    """Nothing came back. ``finding``: why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes
    content_type: str
    location: str
    seconds: float
    """From the first packet to the last, with resolving the name and shaking hands."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A verification (doc 90930). The right answer is ``text``; ``sealed`` is what was sent."""

    text: bytes
    sealed: str


def verify(
    url: str, crypto: CallbackCrypto, *, plain: bool = False, plus_in_nonce: bool = False
) -> tuple[Echo, Answer]:
    """GET as when an administrator presses “save”. The sealed text has a “+”, or with ``plain`` nothing that an address
    could spoil. Raises NoAnswer."""
    echo = _echo(crypto, (lambda sealed: sealed.isalnum()) if plain else (lambda sealed: "+" in sealed))
    nonce = _nonce("+" if plus_in_nonce else "")
    query = {**_signature(crypto, nonce, echo.sealed), "echostr": echo.sealed}
    return echo, _send("GET", url, query)


def post(url: str, crypto: CallbackCrypto, corp_id: str) -> Answer:
    """POST an event that every Quotebridge drops. Raises NoAnswer."""
    message = (
        f"<xml><ToUserName>{escape(corp_id)}</ToUserName><FromUserName>sys</FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType>event</MsgType><Event>{CHECK_EVENT}</Event></xml>"
    )
    sealed = crypto.encrypt(message.encode())
    body = f"<xml><ToUserName>{escape(corp_id)}</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    return _send("POST", url, _signature(crypto, _nonce(), sealed), body.encode())


def _echo(crypto: CallbackCrypto, wanted: Callable[[str], bool], tries: int = 2000) -> Echo:
    """The prefix is random, so that some texts have the property by chance; one in fifty is without “+” and “/”."""
    for _ in range(tries):
        text = secrets.token_hex(ECHO_LETTERS // 2).encode()
        sealed = crypto.encrypt(text)
        if wanted(sealed):
            break
    return Echo(text, sealed)


def _nonce(middle: str = "") -> str:
    return f"{NONCE}{middle}{secrets.token_hex(5)}"


def _signature(crypto: CallbackCrypto, nonce: str, sealed: str) -> dict[str, str]:
    timestamp = str(int(time.time()))
    return {"msg_signature": crypto.sign(timestamp, nonce, sealed), "timestamp": timestamp, "nonce": nonce}


def _send(method: str, url: str, query: dict[str, str], body: bytes | None = None) -> Answer:
    started = time.monotonic()
    try:
        with requests.request(
            method,
            url,
            params=query,
            data=body,
            headers={"Content-Type": "text/xml"} if body else None,
            timeout=(CONNECT_SECONDS, PATIENCE),
            allow_redirects=False,
            stream=True,
        ) as response:
            content = read_body(response, deadline=started + PATIENCE, most=MOST_ANSWER)
    except (requests.RequestException, HTTPError, TooSlow, TooLarge) as error:
        failure = _why(error)
    else:
        headers = response.headers
        return Answer(
            status=response.status_code,
            content=content,
            content_type=headers.get("Content-Type", "").partition(";")[0],
            location=headers.get("Location", ""),
            seconds=time.monotonic() - started,
        )
    raise NoAnswer(failure)


_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)


def _why(error: Exception) -> Finding:
    """The order matters: some of these classes are kinds of others."""
    finding = Finding("broken")
    if isinstance(error, TooLarge):
        finding = Finding("something_else", detail=f"> {MOST_ANSWER} bytes")
    elif isinstance(error, _NO_ADDRESS):
        finding = Finding("bad_url")
    elif isinstance(error, requests.exceptions.SSLError):
        finding = Finding("tls", detail=_tls_reason(error))
    elif isinstance(error, requests.ConnectTimeout):
        finding = Finding("unreachable", detail="ConnectTimeout")
    elif isinstance(error, TooSlow | requests.Timeout | ReadTimeoutError):
        finding = Finding("timeout", detail=f"{PATIENCE:.0f}")
    elif isinstance(error, requests.ConnectionError):
        finding = _why_not_connected(error)
    return finding


def _why_not_connected(error: requests.ConnectionError) -> Finding:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(reason, NameResolutionError):
        return Finding("unknown_host")
    if not isinstance(reason, NewConnectionError):
        return Finding("broken")
    cause = reason.__cause__ or reason.__context__
    if isinstance(cause, ConnectionRefusedError):
        return Finding("refused")
    return Finding("unreachable", detail=type(cause or reason).__name__)


def _tls_reason(error: Exception) -> str:
    """OpenSSL's own words ("certificate has expired"), found down the chain of exceptions."""
    seen: BaseException | None = error
    while seen is not None:
        message = getattr(seen, "verify_message", "")
        if message:
            return str(message)
        inner = seen.args[0] if seen.args else None
        inner = getattr(inner, "reason", inner)
        seen = inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
    return type(error).__name__


def is_private(url: str) -> bool:
    """Whether the host is this machine or written as an address that the internet cannot reach."""
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
