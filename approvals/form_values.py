"""The value of one form control, in WeCom's shape (doc 91853): money, numbers and time stamps are strings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

from django.utils.translation import gettext as _

from approvals.problems import SubmissionProblem
from wecom.oa import Control

CHINA = timezone(timedelta(hours=8))
"""WeCom's days are China's, whatever TIME_ZONE says; a day is its 00:00 there (doc 91853)."""

CURRENCY_NAMES = {
    "CNY": ("人民币", "RMB"),
    "USD": ("美元",),
    "EUR": ("欧元",),
    "HKD": ("港币", "港元"),
    "JPY": ("日元",),
    "GBP": ("英镑",),
}
"""What templates call a currency instead of by its code."""


def value_of(control: Control, text: str) -> dict[str, Any]:
    """``text`` (a decimal, an ISO date, a currency code or words; ``""`` for none) as the value of ``control``.

    Raises SubmissionProblem for a currency that the template's selector does not offer.
    """
    return _VALUES.get(control.type, _empty_object)(control, text)


def _text(control: Control, text: str) -> dict[str, Any]:
    return {"text": " ".join(text.split())}  # WeCom takes no line breaks here


def _textarea(control: Control, text: str) -> dict[str, Any]:
    return {"text": text}


def _number(control: Control, text: str) -> dict[str, Any]:
    return {"new_number": text}


def _money(control: Control, text: str) -> dict[str, Any]:
    return {"new_money": text}


def _date(control: Control, text: str) -> dict[str, Any]:
    kind = control.config.get("date", {}).get("type", "day")  # must equal the template's
    return {"date": {"type": kind, "s_timestamp": _day_start(text)}}


def _selector(control: Control, text: str) -> dict[str, Any]:
    chosen = [{"key": _option_key(control, text)}] if text else []
    return {"selector": {"type": control.config.get("selector", {}).get("type", "single"), "options": chosen}}


# No field of a quote goes into the following: they are columns of a table that stay blank, since a row must hold all
# of the template's columns (doc 91853).


def _contact(control: Control, text: str) -> dict[str, Any]:
    mode = control.config.get("contact", {}).get("mode", "user")
    return {"departments" if mode == "department" else "members": []}


def _file(control: Control, text: str) -> dict[str, Any]:
    return {"files": []}


def _related_approval(control: Control, text: str) -> dict[str, Any]:
    return {"related_approval": []}


def _empty_object(control: Control, text: str) -> dict[str, Any]:
    return {}


_VALUES: dict[str, Callable[[Control, str], dict[str, Any]]] = {
    "Text": _text,
    "Textarea": _textarea,
    "Number": _number,
    "Money": _money,
    "Date": _date,
    "Selector": _selector,
    "Contact": _contact,
    "File": _file,
    "RelatedApproval": _related_approval,
}


def _day_start(iso_date: str) -> str:
    if not iso_date:
        return ""
    day = date.fromisoformat(iso_date)
    return str(int(datetime(day.year, day.month, day.day, tzinfo=CHINA).timestamp()))


def _option_key(control: Control, wanted: str) -> str:
    """The option that means the currency ``wanted``: by key or text first, else by a text that names it."""
    names = [name.casefold() for name in (wanted, *CURRENCY_NAMES.get(wanted, ()))]
    options = [
        (str(option.get("key", "")), [str(text.get("text", "")).strip().casefold() for text in _texts(option)])
        for option in control.config.get("selector", {}).get("options", [])
    ]
    for key, texts in options:
        if key.casefold() in names or any(text in names for text in texts):
            return key
    for key, texts in options:
        if any(name in text for name in names for text in texts):
            return key
    # leaving it out would show the approver an amount without its currency
    raise SubmissionProblem(
        "option_missing",
        _("“%(title)s” in the WeCom template has no option for %(value)s. Add it there, or map another control.")
        % {"title": control.title, "value": wanted},
    )


def _texts(option: dict[str, Any]) -> list[dict[str, Any]]:
    """An array when read, an object when a template is created (doc 97437): accept both."""
    texts = option.get("value") or []
    return texts if isinstance(texts, list) else [texts]
