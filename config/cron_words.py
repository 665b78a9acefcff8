"""A crontab said in words, in the language of the person who looks at it."""

from __future__ import annotations

import re

from cron_descriptor import CasingTypeEnum, ExpressionDescriptor, FormatException, Options
from django.utils.translation import get_language
from django_celery_beat.models import CrontabSchedule

# cron-descriptor takes these names from the process's locale, which stays English.
_CHINESE = {
    **dict(
        zip(
            ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
            ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
            strict=True,
        )
    ),
    **{
        name: f"{number}月"
        for number, name in enumerate(
            ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
             "November", "December"),
            start=1,
        )
    },
}  # fmt: skip
_NAMES = re.compile("|".join(_CHINESE))


def describe(schedule: CrontabSchedule) -> str:
    """For example "在 01:30" for ``30 1 * * *``; the plain fields when they cannot be put into words."""
    fields = (
        schedule.minute,
        schedule.hour,
        schedule.day_of_month,
        schedule.month_of_year,
        schedule.day_of_week,
    )
    expression = " ".join(field.replace(" ", "") for field in fields)
    chinese = (get_language() or "").startswith("zh")
    options = Options()
    options.use_24hour_time_format = True
    options.casing_type = CasingTypeEnum.Sentence
    options.locale_code = "zh_CN" if chinese else "en_US"
    try:
        words = ExpressionDescriptor(expression, options).get_description()
    except FormatException:
        return expression
    return _NAMES.sub(lambda match: _CHINESE[match.group()], words) if chinese else words
