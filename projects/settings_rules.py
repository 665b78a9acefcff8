"""What may be typed into the settings of projects; the same for REST and admin."""

from __future__ import annotations

import re
import zoneinfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from config.cron import BadCron
from notifications.models import ChannelKind
from projects import schedule
from projects.document import TIME_PART, TIME_PARTS

KNOWN = " ".join(TIME_PARTS)
CHANNELS = [choice for choice in ChannelKind.choices if choice[0] != ChannelKind.ALERT]
"""By which people are told about projects."""


def check_cron(text: str) -> None:
    """Raises ValidationError unless beat can follow it."""
    if not text.strip():
        return
    try:
        schedule.check(text)
    except BadCron as error:
        raise ValidationError(str(error), code="cron") from error


def check_time_format(text: str) -> None:
    """Raises ValidationError for a format without a single part of a time, or with letters that are none."""
    rest = TIME_PART.sub("", text)
    unknown = sorted(set(re.findall(r"[A-Za-z]+", rest)))
    if unknown:
        raise ValidationError(
            _("%(unknown)s is no part of a time. There are %(known)s."),
            code="time_format",
            params={"unknown": ", ".join(unknown), "known": KNOWN},
        )
    if rest == text:
        raise ValidationError(_("Use at least one of %(known)s."), params={"known": KNOWN})


def check_time_zone(name: str) -> None:
    """Raises ValidationError for a zone that this machine does not know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("There is no time zone of this name; write one such as Asia/Shanghai."))
