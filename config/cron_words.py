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
_AS_WRITTEN = [
    (re.compile(r"在 (?=\d\d:\d\d)"), ""),
    (re.compile(r", 和 "), "和"),
    (re.compile(r"(?<=[一二三四五六日月]), (?=星期|\d+月)"), "、"),
    (re.compile(r" 到 "), "至"),
    (re.compile(r", "), "，"),
    (re.compile(r"(?<=[一-龥]) (?=[一-龥])"), ""),
]
"""cron-descriptor writes Chinese with English commas and spaces."""


def describe(schedule: CrontabSchedule) -> str:
    """For example "每天 01:30" or "At 01:30"; the plain fields when they cannot be put into words."""
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
    return _in_chinese(words, every_day=expression.endswith(" * * *")) if chinese else words


def _in_chinese(words: str, *, every_day: bool) -> str:
    words = _NAMES.sub(lambda match: _CHINESE[match.group()], words)
    for pattern, text in _AS_WRITTEN:
        words = pattern.sub(text, words)
    return f"每天 {words}" if every_day and words[0].isdecimal() else words
