"""What SMS providers refuse, and what becomes of the message then. The codes stand in one table per provider.

The tables are closed by default: a code that they do not know refuses for good, because every repetition costs money
and a person can still press "Retry".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.durable import NotYet, PermanentFailure, TemporaryFailure
from config.phones import masked
from config.sentences import in_a_row
from notifications.checks import PACKAGES
from wecom.errcodes import Text

Family = Literal["permanent", "temporary", "wait", "tomorrow"]

CHINA_TIME: Final = ZoneInfo("Asia/Shanghai")
"""The providers' days begin at midnight there."""
MINUTE, HOUR = 60.0, 3600.0
LONGEST_ANSWER = 200
"""Characters of a provider's own text in our sentence."""
_NUMBER = re.compile(r"\+?\d{10,}")
"""In such a text: whom the message was for. Our sentence goes into logs, alerts and lists."""

SLOW_DOWN = gettext_lazy("The SMS provider's flow control holds the message back; it will be sent later.")
FULL_TODAY = gettext_lazy(
    "The SMS provider sends no more to this number, or from this account, today; it is tried again tomorrow."
)
BAD_TEMPLATE = gettext_lazy("The SMS provider does not accept the template or its parameters.")
BAD_SIGNATURE = gettext_lazy("The SMS provider does not accept the signature.")
BAD_NUMBER = gettext_lazy("The SMS provider does not deliver to this number.")
BAD_ACCOUNT = gettext_lazy("The SMS account may not send.")
BAD_KEYS = gettext_lazy("The SMS provider does not accept the access key.")
FAILED = gettext_lazy("The SMS provider had a failure of its own; the system tries again.")
BAD_CLOCK = gettext_lazy("The SMS provider finds that this server's clock is wrong.")

CHECK_ACCOUNT = gettext_lazy("Look at the SMS account in the provider's console, then press “Retry”.")
CHECK_KEYS = gettext_lazy("Correct SMS_ACCESS_KEY_ID and SMS_ACCESS_KEY_SECRET, restart, then press “Retry”.")
CHECK_NUMBER = gettext_lazy("Correct the number where it was entered; the next message goes to the new one.")
CHECK_SIGNATURE = gettext_lazy("Enter the approved signature as SMS_SIGN_NAME, restart, then press “Retry”.")
CHECK_TEMPLATE = gettext_lazy(
    "Compare the message template's text and template ID with the approved template in the provider's console."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One code: what it means, for a person."""

    sentence: Text
    remedy: Text = ""
    family: Family = "permanent"
    seconds: float = MINUTE
    """For ``wait``: when it is worth another try."""


FULL = Refusal(FULL_TODAY, family="tomorrow")
TEMPLATE_REFUSED = Refusal(BAD_TEMPLATE, CHECK_TEMPLATE)
SIGNATURE_REFUSED = Refusal(BAD_SIGNATURE, CHECK_SIGNATURE)
NUMBER_REFUSED = Refusal(BAD_NUMBER, CHECK_NUMBER)
ACCOUNT_REFUSED = Refusal(BAD_ACCOUNT, CHECK_ACCOUNT)
KEYS_REFUSED = Refusal(BAD_KEYS, CHECK_KEYS)
OWN_FAILURE = Refusal(FAILED, family="temporary")
WRONG_CLOCK = Refusal(BAD_CLOCK, gettext_lazy("Set the clock of this server."), family="temporary")


def held_back(seconds: float) -> Refusal:
    return Refusal(SLOW_DOWN, family="wait", seconds=seconds)


def failure(table: Mapping[str, Refusal], code: str, answer: str) -> Exception:
    """The exception (not raised) for ``code``; ``answer`` is the provider's own text.

    The longest entry that ``code`` equals or begins with (up to a dot) decides: PermanentFailure, TemporaryFailure,
    or NotYet for what a flow control holds back.
    """
    refusal = _look_up(table, code)
    if refusal is None:
        refusal = Refusal(gettext_lazy("The SMS provider refused the message."), CHECK_ACCOUNT)
    said = _NUMBER.sub(lambda found: masked(found[0]), " ".join(answer.split()))
    reference = f"[{code}: {said[:LONGEST_ANSWER]}]"
    sentence = in_a_row(refusal.sentence, refusal.remedy, reference)
    match refusal.family:
        case "permanent":
            return PermanentFailure(sentence)
        case "temporary":
            return TemporaryFailure(sentence)
        case "wait":
            return NotYet(sentence, retry_after=refusal.seconds)
        case "tomorrow":
            return NotYet(sentence, retry_after=until_tomorrow(timezone.now()))


def _look_up(table: Mapping[str, Refusal], code: str) -> Refusal | None:
    parts = code.split(".")
    beginnings = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((table[beginning] for beginning in beginnings if beginning in table), None)


def until_tomorrow(now: datetime) -> float:
    """Seconds from ``now`` until a minute after the next midnight in China."""
    here = now.astimezone(CHINA_TIME)
    midnight = datetime.combine(here.date() + timedelta(days=1), time(0, 1), CHINA_TIME)
    return (midnight - here).total_seconds()


def unanswered(why: object) -> TemporaryFailure:
    """No readable answer came. Neither provider recognises a repetition, so the text may arrive twice: better than not
    at all."""
    sentence = _("The SMS provider gave no readable answer (%(why)s). The system tries again by itself.")
    return TemporaryFailure(sentence % {"why": why})


def sdk_missing(backend: str) -> PermanentFailure:
    sentence = _("The library of the SMS provider is not installed: %(package)s. %(remedy)s")
    return PermanentFailure(sentence % {"package": PACKAGES[backend][1], "remedy": install_remedy()})


def install_remedy() -> str:
    return _("Run “pip install -r requirements-sms.txt” and restart, then press “Retry”.")
