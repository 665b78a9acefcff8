"""What can go wrong in a call to WeCom, as exceptions that explain themselves.

``str(error)`` is what an operator reads in admin: what happened, what to do, and the reference for WeCom's support.
No exception carries a token, a secret or an address with a query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from config.durable import PermanentFailure, TemporaryFailure
from config.sentences import in_a_row
from wecom.errcodes import IT_REPEATS, ErrorInfo, Family, Text, describe

__all__ = [
    "IT_REPEATS",
    "ErrorInfo",
    "Family",
    "OutcomeUnknown",
    "PermanentError",
    "QuotaError",
    "RetryableError",
    "TokenError",
    "WeComError",
    "describe",
    "error_for",
    "hint_of",
    "raise_for_answer",
]

_HINT = re.compile(r"hint:\s*\[([^\]]{1,80})\]")
_CALLER = re.compile(r"from ip:\s*([0-9a-fA-F.:]{3,45})")
_HALF_READ = "Warning: wrong json format."
"""The one text that is matched: it stands even beside errcode 0, when a body was half-parsed (doc 90664)."""
ERRMSG_LENGTH = 300


class WeComError(Exception):
    """A call to WeCom that did not succeed. Raised only as one of its subclasses.

    ``errcode``: WeCom's, or None when there was no readable answer; ``errmsg``: WeCom's text (never match on it, doc
    90313); ``hint``: WeCom's reference of the call; ``endpoint``: ``oa/applyevent``; ``sentence``, ``remedy``: lazy,
    for a person; ``retry_after``: seconds before which a repetition is pointless, or None.
    """

    def __init__(
        self,
        sentence: Text = "",
        *,
        remedy: Text = "",
        errcode: int | None = None,
        errmsg: str = "",
        endpoint: str = "",
        retry_after: float | None = None,
    ) -> None:
        Exception.__init__(self, sentence)
        self.sentence = sentence
        self.remedy = remedy
        self.errcode = errcode
        self.errmsg = errmsg[:ERRMSG_LENGTH]
        self.hint = hint_of(errmsg)
        self.endpoint = endpoint
        self.retry_after = retry_after

    def __str__(self) -> str:
        return in_a_row(self.sentence, self.remedy, self.reference)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint} errcode={self.errcode} hint={self.hint}>"

    @property
    def reference(self) -> str:
        """What WeCom's support would ask for; empty when there is nothing."""
        parts = [self.endpoint]
        if self.errcode is not None:
            parts.append(f"errcode {self.errcode}")
        if self.hint:
            parts.append(f"hint {self.hint}")
        return f"[{', '.join(part for part in parts if part)}]" if any(parts) else ""


class RetryableError(WeComError, TemporaryFailure):
    """The same call may succeed later; it had no effect at WeCom, or it only reads."""


class OutcomeUnknown(RetryableError):
    """A writing call whose answer was lost: WeCom may have done it. Look before doing it again."""


class TokenError(RetryableError):
    """A fresh access token was refused as well."""


class QuotaError(WeComError, TemporaryFailure):
    """Over a limit, ours or WeCom's. ``retry_after`` says how many seconds to stay away."""


class PermanentError(WeComError, PermanentFailure):
    """Repeating cannot help; a person has to change something."""


_CLASSES: dict[Family, type[WeComError]] = {
    Family.RETRY: RetryableError,
    Family.TOKEN: TokenError,
    Family.QUOTA: QuotaError,
    Family.PERMANENT: PermanentError,
}

_UNCLEAR_OUTCOME = frozenset({301057})


def hint_of(errmsg: str) -> str:
    """WeCom's reference of a failed call, from ``…, hint: [1767_1_ab], from ip: …``; empty when there is none."""
    match = _HINT.search(errmsg)
    return match.group(1) if match else ""


def error_for(endpoint: str, errcode: int, errmsg: str, *, writes: bool = False, final: bool = False) -> WeComError:
    """The exception (not raised) for an answer with ``errcode`` ≠ 0.

    ``writes``: the call changes something at WeCom. ``final``: a fresh token was tried already, or the call was
    gettoken itself, so that 40001 can only mean the configuration (doc 91039).
    """
    info = describe(errcode)
    error_class = _CLASSES[info.family]
    if writes and errcode in _UNCLEAR_OUTCOME:
        error_class = OutcomeUnknown
    if final and errcode == 40001:
        error_class = PermanentError
    return error_class(
        info.sentence,
        remedy=_remedy_for_address(errmsg) if errcode == 60020 else info.remedy,
        errcode=errcode,
        errmsg=errmsg,
        endpoint=endpoint,
        retry_after=info.pause or None,
    )


def raise_for_answer(
    endpoint: str, answer: Mapping[str, Any], *, writes: bool = False, final: bool = False, hide: str = ""
) -> None:
    """Raise what ``answer`` (the JSON object) says went wrong; ``writes`` and ``final`` as in ``error_for``.

    Success is errcode missing or 0 (doc 90664). ``hide`` is a secret that a text must not repeat to us.
    """
    errmsg = str(answer.get("errmsg") or "")
    if hide:
        errmsg = errmsg.replace(hide, "***")
    try:
        errcode = int(answer.get("errcode") or 0)
    except (TypeError, ValueError):
        unclear = OutcomeUnknown if writes else RetryableError
        raise unclear(
            _("WeCom's answer holds an error code that is no number."),
            remedy=IT_REPEATS,
            errmsg=errmsg,
            endpoint=endpoint,
        ) from None
    if errcode:
        raise error_for(endpoint, errcode, errmsg, writes=writes, final=final)
    if _HALF_READ in errmsg:
        raise PermanentError(
            _("WeCom could read only a part of what was sent, and may have acted on that part."),
            remedy=_("Look in WeCom what came of it, and report this together with the hint from the log."),
            errcode=errcode,
            errmsg=errmsg,
            endpoint=endpoint,
        )


def _remedy_for_address(errmsg: str) -> Text:
    """60020 tells the address it saw, which behind NAT is the only way to learn it."""
    match = _CALLER.search(errmsg)
    if match is None:
        return describe(60020).remedy
    return format_lazy(
        _("Add {address} to 企业可信IP of the app in the console, wait a minute, then retry."), address=match.group(1)
    )
