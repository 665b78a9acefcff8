from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from projects.ages import how_old

AGES = [
    (timedelta(seconds=-30), "just now", "刚刚"),
    (timedelta(seconds=59), "just now", "刚刚"),
    (timedelta(minutes=1), "1 minute ago", "1分钟前"),
    (timedelta(minutes=5, seconds=59), "5 minutes ago", "5分钟前"),
    (timedelta(minutes=59), "59 minutes ago", "59分钟前"),
    (timedelta(minutes=60), "1 hour ago", "1小时前"),
    (timedelta(hours=2), "2 hours ago", "2小时前"),
    (timedelta(hours=23, minutes=59), "23 hours ago", "23小时前"),
    (timedelta(days=1), "1 day ago", "1天前"),
    (timedelta(days=3, hours=5), "3 days ago", "3天前"),
]


@pytest.mark.parametrize(("age", "english", "chinese"), AGES, ids=[age[1] for age in AGES])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_age_as_people_say_it(age: timedelta, english: str, chinese: str, language: str) -> None:
    with translation.override(language):
        assert how_old(age) == (english if language == "en" else chinese)
