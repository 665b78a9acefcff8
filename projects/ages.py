"""How old something is, as people say it: 刚刚, 5分钟前, 2小时前, 3天前."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from django.utils.translation import get_language, gettext, ngettext

MINUTE, HOUR, DAY = 60, 3600, 86400


def how_old(age: timedelta) -> str:
    """``age`` in words of the active language, rounded down to the largest whole unit."""
    seconds = int(age.total_seconds())
    unit = DAY if seconds >= DAY else HOUR if seconds >= HOUR else MINUTE
    return _words(get_language(), seconds // unit, unit)


@lru_cache(maxsize=512)
def _words(_language: str | None, count: int, unit: int) -> str:
    """In the active language, which is named because the words are remembered: these are few, and told to everybody."""
    if count < 1:  # a clock that is ahead of ours included
        return gettext("just now")
    if unit == MINUTE:
        text = ngettext("%(count)d minute ago", "%(count)d minutes ago", count)
    elif unit == HOUR:
        text = ngettext("%(count)d hour ago", "%(count)d hours ago", count)
    else:
        text = ngettext("%(count)d day ago", "%(count)d days ago", count)
    return text % {"count": count}
