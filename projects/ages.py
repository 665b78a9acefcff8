"""How old something is, as people say it: 刚刚, 5分钟前, 2小时前, 3天前."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext, ngettext

MINUTE, HOUR, DAY = 60, 3600, 86400


def how_old(age: timedelta) -> str:
    """``age`` in words of the active language, rounded down to the largest whole unit."""
    seconds = int(age.total_seconds())
    if seconds < MINUTE:  # a clock that is ahead of ours included
        return gettext("just now")
    if seconds < HOUR:
        count = seconds // MINUTE
        text = ngettext("%(count)d minute ago", "%(count)d minutes ago", count)
    elif seconds < DAY:
        count = seconds // HOUR
        text = ngettext("%(count)d hour ago", "%(count)d hours ago", count)
    else:
        count = seconds // DAY
        text = ngettext("%(count)d day ago", "%(count)d days ago", count)
    return text % {"count": count}
