"""The words that messages about projects come with can be rendered, in every language and on every channel."""

from __future__ import annotations

import pytest
from django.conf import settings

from notifications.channels import channel_class
from notifications.events import event_named
from notifications.rendering import check, render, variables_in
from projects.telling import CHANNELS, LINK_REQUESTED, STATUS_CHANGED

EVENTS = (STATUS_CHANGED, LINK_REQUESTED)


@pytest.mark.parametrize("name", EVENTS)
class TestWords:
    def test_there_are_some_for_each_channel_and_language(self, name: str) -> None:
        event = event_named(name)
        assert set(event.defaults) == {
            (channel, language) for channel in CHANNELS for language, _ in settings.LANGUAGES
        }

    def test_they_name_only_what_there_is(self, name: str) -> None:
        event = event_named(name)
        for subject, body in event.defaults.values():
            assert check(subject, event.names) == check(body, event.names) == []

    def test_only_channels_with_a_subject_have_one(self, name: str) -> None:
        for (channel, _language), (subject, _body) in event_named(name).defaults.items():
            assert bool(subject) == channel_class(channel).has_subject

    def test_an_sms_in_chinese_is_one_message(self, name: str) -> None:
        event = event_named(name)
        facts = event.samples("zh-hans") | {"title": "三号车间水泵改造", "person": "周女士"}
        assert len(render(event.default("sms", "zh-hans")[1], facts)) <= 60


def test_two_changes_to_the_same_state_differ_for_wecom() -> None:
    for language, _name in settings.LANGUAGES:
        assert "time" in variables_in(event_named(STATUS_CHANGED).default("wechat", language)[1])
