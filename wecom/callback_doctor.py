"""What is wrong with an app's callback address, asked the way WeCom asks: from outside, signed, with its patience.

Most of what breaks a callback stands between the internet and this system, where no log of ours sees it. So the doctor
sends a verification and an event to the app's own public address and compares what comes back with what WeCom wants:
the bare bytes, at once, from the address itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from config.sealed import SealBroken
from wecom.callback import CallbackCredentials, NoCredentials, TooOld, UnknownAddress
from wecom.configs import BARE, BOOTSTRAP_SLUG, FRESH_FOR, callback_url, credentials_of
from wecom.crypto import (
    CallbackCrypto,
    CallbackError,
    IllegalAesKey,
    IllegalBuffer,
    ReceiveIdMismatch,
    SignatureMismatch,
)
from wecom.findings import Finding, Words, words
from wecom.models import RefusedCallback, WeComConfig
from wecom.signed_call import NONCE, Answer, Echo, NoAnswer, is_private, post, verify

ECHO_SECONDS = 1.0
"""WeCom gives the verification of an address one second (doc 90930)."""
SHOWN_REFUSALS = 5
LOOK_AGAIN = 0.5
"""Seconds between two tries while other processes may still use credentials that were changed a moment ago."""
BOM = b"\xef\xbb\xbf"
PUBLIC_WECOM = ".weixin.qq.com"

_REFUSALS: dict[str, str] = {
    SignatureMismatch.default_reason: "wrong_token",
    IllegalBuffer.default_reason: "wrong_key",
    ReceiveIdMismatch.default_reason: "wrong_corp",
    TooOld.default_reason: "clock",
    UnknownAddress.default_reason: "unknown_address",
    NoCredentials.default_reason: "no_credentials_there",
}
"""The sentence that a Quotebridge answers a refused callback with → what it means here."""
_STALE = frozenset({"wrong_token", "wrong_key", "wrong_corp", "no_credentials_there", "unknown_address"})
_STATUS = {401: "barred", 403: "barred", 404: "not_found", 405: "not_found"} | dict.fromkeys((502, 503, 504), "gateway")
"""Of an answer that no Quotebridge gave."""


@dataclass(frozen=True, slots=True)
class Report:
    """``findings``: never empty, the gravest first."""

    url: str
    findings: Sequence[Finding]
    refused: Sequence[RefusedCallback]
    """The last real requests that were turned away."""

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)

    def words(self) -> list[tuple[Finding, Words]]:
        return [(finding, words(finding.code, detail=finding.detail, url=self.url)) for finding in self.findings]


def examine(config: WeComConfig) -> Report:
    """Send a verification and an event to the app's address. Takes some seconds when nobody answers; raises nothing."""
    url = callback_url(config)
    found = sorted(_findings(config, url), key=lambda finding: bool(finding.ok))
    return Report(url, found, refused_requests(config))


def refused_requests(config: WeComConfig) -> list[RefusedCallback]:
    """The last requests to the app's address that were turned away, without our own."""
    # The console may hold the bare address for an app that was the default once.
    slugs = {config.slug, BARE} if config.is_default or config.slug == BOOTSTRAP_SLUG else {config.slug}
    rows = RefusedCallback.objects.filter(slug__in=slugs).exclude(query__contains=f"nonce={NONCE}")
    return list(rows[:SHOWN_REFUSALS])


def _findings(config: WeComConfig, url: str) -> Iterator[Finding]:
    try:
        credentials = credentials_of(config)
    except IllegalAesKey:
        yield Finding("bad_key")
    except NoCredentials as error:
        yield Finding("sealed" if isinstance(error.__cause__, SealBroken) else "no_credentials")
    else:
        if not config.enabled:
            yield Finding("disabled")
        elif _out_of_reach(url):
            yield Finding("private")
        else:
            yield from _visit(config, url, credentials)


def _out_of_reach(url: str) -> bool:
    """A private address is right where WeCom is played by a stand-in."""
    host = urlsplit(settings.WECOM_API_BASE_URL).hostname or ""
    return f".{host}".endswith(PUBLIC_WECOM) and is_private(url)


def _visit(config: WeComConfig, url: str, credentials: CallbackCredentials) -> Iterator[Finding]:
    try:
        echo, answer = _settled(config, url, credentials.primary)
        trouble = _judge_echo(url, echo, answer)
        if trouble is not None and trouble.code == "wrong_token" and _fits_without_plus(url, credentials.primary):
            trouble = Finding("plus_changed")
        if trouble is not None:
            yield trouble
            return
        yield from _judge_further(config, url, credentials, answer)
    except NoAnswer as error:
        yield error.finding


def _judge_further(
    config: WeComConfig, url: str, credentials: CallbackCredentials, answer: Answer
) -> Iterator[Finding]:
    """Of an address that passes the verification."""
    trouble = _judge_post(post(url, credentials.primary, config.corp_id))
    seconds = f"{answer.seconds:.1f}"
    if answer.seconds > ECHO_SECONDS:
        yield Finding("slow", detail=seconds)
    if trouble is not None:
        yield trouble
    elif answer.seconds <= ECHO_SECONDS:
        yield Finding("verified", True, seconds)
    if _judge_echo(url, *verify(url, credentials.primary, plus_in_nonce=True)) is not None:
        yield Finding("plus_repaired", True)
    if credentials.secondary is not None and _judge_echo(url, *verify(url, credentials.secondary)) is not None:
        yield Finding("next_pair")
    yield from _judge_contact(config, url, credentials)


def _judge_contact(config: WeComConfig, url: str, credentials: CallbackCredentials) -> Iterator[Finding]:
    """The sync assistant calls the same address with its own pair."""
    if credentials.contact is not None:
        if _judge_echo(url, *verify(url, credentials.contact)) is not None:
            yield Finding("contact_pair")
    elif config.contact_callback_token or config.contact_encoding_aes_key:
        yield Finding("contact_half")


def _settled(config: WeComConfig, url: str, crypto: CallbackCrypto) -> tuple[Echo, Answer]:
    """A verification; repeated while it fails in the seconds in which processes may not know new credentials yet."""
    settled_at = config.updated_at + timedelta(seconds=FRESH_FOR + LOOK_AGAIN)
    while True:
        echo, answer = verify(url, crypto)
        trouble = _judge_echo(url, echo, answer)
        if trouble is None or trouble.code not in _STALE or timezone.now() > settled_at:
            return echo, answer
        time.sleep(LOOK_AGAIN)


def _fits_without_plus(url: str, crypto: CallbackCrypto) -> bool:
    return _judge_echo(url, *verify(url, crypto, plain=True)) is None


def _judge_echo(url: str, echo: Echo, answer: Answer) -> Finding | None:
    """None: it is as WeCom wants it, but for the time it took."""
    if answer.status != 200:
        return _judge_status(url, answer)
    content = answer.content
    if content == echo.text:
        return None
    if content.strip() == echo.sealed.encode():
        return Finding("raw_echo")
    return _wrapped(content, echo.text) or Finding("something_else", detail=answer.content_type or "?")


def _wrapped(content: bytes, wanted: bytes) -> Finding | None:
    """What was put around ``wanted``, if that is all that is wrong."""
    if content.strip() == wanted:
        return Finding("newline")
    if content.removeprefix(BOM).strip() == wanted:
        return Finding("bom")
    if content.removeprefix(BOM).strip().strip(b"\"'") == wanted:
        return Finding("quotes")
    return None


def _judge_status(url: str, answer: Answer) -> Finding:
    status = str(answer.status)
    if 300 <= answer.status < 400:
        here, there = urlsplit(url).path, urlsplit(answer.location).path
        if here != there and here.rstrip("/") == there.rstrip("/"):
            return Finding("redirect_slash")
        return Finding("redirect", detail=f"{status} → {_without_query(answer.location)}")
    said = answer.content.decode("utf-8", "replace").strip()
    if said in _REFUSALS:
        return Finding(_REFUSALS[said])
    if said in _OTHER_REASONS:
        return Finding("refused_otherwise", detail=said)
    return Finding(_STATUS.get(answer.status, "status"), detail=status)


def _judge_post(answer: Answer) -> Finding | None:
    if answer.status != 200:
        return Finding("post_refused", detail=str(answer.status))
    if answer.content == b"success":
        return None
    wrapped = _wrapped(answer.content, b"success")
    return wrapped or Finding("post_changed", detail=answer.content[:40].decode("utf-8", "replace"))


def _without_query(location: str) -> str:
    """Proxies repeat the signed query in what they redirect to."""
    return location.partition("?")[0][:200]


def _reasons(kind: type[CallbackError]) -> Iterator[str]:
    for subclass in kind.__subclasses__():
        yield subclass.default_reason
        yield from _reasons(subclass)


_OTHER_REASONS = frozenset(_reasons(CallbackError))
