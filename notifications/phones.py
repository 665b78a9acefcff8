"""Phone numbers as people write them, and as SMS providers take them (E.164)."""

from __future__ import annotations

import re
import unicodedata

from config.phones import CHINA

_MOBILE = re.compile(r"1[3-9]\d{9}")
_FILLERS = re.compile(r"[\s\-‐-―.()/·]")


class BadNumber(ValueError):
    """No text message can be sent to it."""


def international(text: str) -> str:
    """``text`` as ``+8613800138000``. Numbers without a country are Chinese mobile numbers.

    Spaces, dashes, brackets and full-width digits are fine, so are 86, 0086 and +86 in front. Raises BadNumber for
    anything else: landlines, too few digits, two numbers in one field.
    """
    number = _FILLERS.sub("", unicodedata.normalize("NFKC", text))
    if number.startswith("00"):
        number = "+" + number[2:]
    if _MOBILE.fullmatch(number):
        return CHINA + number
    if _MOBILE.fullmatch(number.removeprefix("86")):
        return "+" + number
    if number.startswith(CHINA):
        if _MOBILE.fullmatch(number.removeprefix(CHINA)):
            return number
    elif re.fullmatch(r"\+[1-9]\d{6,14}", number):
        return number
    raise BadNumber
