"""What every channel keeps, whoever wrote it."""

from __future__ import annotations

import ast
import inspect

import pytest

from notifications import channels
from notifications.channels.base import Channel, Message
from notifications.recipients import Recipient


@pytest.mark.parametrize("kind", channels.CHANNELS)
class TestEveryChannel:
    def test_it_says_what_it_is(self, kind: str) -> None:
        channel = channels.channel_class(kind)
        assert issubclass(channel, Channel)
        assert channel.kind == kind
        assert str(channel.label)
        assert len(kind) <= 10

    def test_nobody_without_an_address_is_addressed(self, kind: str) -> None:
        assert channels.channel_class(kind).address_of(Recipient("engineer", "X")) == ""

    def test_it_is_made_and_closed_without_a_call(self, kind: str) -> None:
        channel = channels.channel_class(kind)()
        assert channel.reserve([]) == []
        channel.close()

    def test_it_measures_any_text(self, kind: str) -> None:
        for body in ("", "x", "价" * 5000):
            assert str(channels.channel_class(kind).size_of(body))

    def test_it_touches_no_table_of_ours(self, kind: str) -> None:
        module = ast.parse(inspect.getsource(inspect.getmodule(channels.channel_class(kind)) or Channel))
        imports = [node for node in ast.walk(module) if isinstance(node, ast.ImportFrom)]
        names = {alias.name for node in imports for alias in node.names}
        assert not names & {"Notification", "MessageTemplate", "Incident"}


def test_the_kinds_are_the_choices_of_the_columns() -> None:
    assert [kind for kind, _label in channels.choices()] == list(channels.CHANNELS)


def test_a_message_needs_no_more_than_an_address_and_words() -> None:
    message = Message(key="k", address="a", body="b")
    assert (message.subject, message.turn, dict(message.sms_parameters)) == ("", None, {})
