"""How long something took, in words."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _


def duration_words(duration: timedelta | None) -> str:
    """5.6秒, 5.6 seconds; from a minute on 2分5秒, 2 min 5 s. Empty for what has not begun."""
    if duration is None:
        return ""
    seconds = max(0.0, duration.total_seconds())
    if round(seconds, 1) < 60:
        return _("%(seconds)s seconds") % {"seconds": f"{seconds:.1f}"}
    minutes, rest = divmod(round(seconds), 60)
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
