"""From a press on a card to ``card_clicked``: what is read, what cannot be, and what becomes of the event's row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from wecom import inbox
from wecom.card_events import BadClick, CardClick, from_event
from wecom.models import CallbackEvent, WeComConfig
from wecom.signals import card_clicked
from wecom.tests.inbound import deliver, make_config, only_listener
from wecom.tests.vectors import CORP_ID
from wecom.xml import parse

AT = datetime.fromtimestamp(1767229200, UTC)
TASK, CODE = "quote-42-r1", "code-of-the-click"


def click_xml(event: str = "template_card_event", *, task: str = TASK, code: str = CODE, more: str = "") -> str:
    return (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><FromUserName><![CDATA[wang.boss]]></FromUserName>"
        f"<CreateTime>1767229200</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>"
        f"<EventKey><![CDATA[agree]]></EventKey><TaskId><![CDATA[{task}]]></TaskId>"
        "<CardType><![CDATA[button_interaction]]></CardType>"
        f"<ResponseCode><![CDATA[{code}]]></ResponseCode><AgentID>1000042</AgentID>{more}</xml>"
    )


def read(document: str) -> CardClick:
    return from_event(parse(document.encode()), config_id=7, at=AT)


@pytest.mark.parametrize("event", ["template_card_event", "template_card_menu_event"])
def test_a_click_says_who_pressed_what_on_which_card(event: str) -> None:
    assert read(click_xml(event)) == CardClick(
        userid="wang.boss",
        task_id=TASK,
        key="agree",
        response_code=CODE,
        card_type="button_interaction",
        config_id=7,
        at=AT,
        selected={},
    )


def test_tags_are_read_in_any_case() -> None:
    document = click_xml().replace("TaskId>", "TaskID>").replace("ResponseCode>", "responseCode>")
    assert (read(document).task_id, read(document).response_code) == (TASK, CODE)


def test_what_was_chosen_in_lists_comes_along() -> None:
    chosen = (
        "<SelectedItems><SelectedItem><QuestionKey>why</QuestionKey><OptionIds><OptionId>price</OptionId>"
        "<OptionId>terms</OptionId></OptionIds></SelectedItem>"
        "<SelectedItem><QuestionKey>who</QuestionKey><OptionIds><OptionId>me</OptionId></OptionIds></SelectedItem>"
        "<SelectedItem><QuestionKey>when</QuestionKey><OptionIds></OptionIds></SelectedItem></SelectedItems>"
    )
    assert read(click_xml(more=chosen)).selected == {"why": ("price", "terms"), "who": ("me",), "when": ()}


@pytest.mark.parametrize(
    ("document", "word"),
    [
        (click_xml(task=""), "TaskId"),
        (click_xml(code=" "), "ResponseCode"),
        (click_xml().replace("wang.boss", ""), "who pressed"),
    ],
)
def test_a_click_that_cannot_be_used_says_what_is_missing(document: str, word: str) -> None:
    with pytest.raises(BadClick, match=word):
        read(document)


@pytest.fixture
def config(db: None) -> WeComConfig:
    return make_config()


Heard = list[tuple[CardClick, CallbackEvent]]


@contextmanager
def listening(answer: str) -> Iterator[Heard]:
    heard: Heard = []

    def listener(*, click: CardClick, event: CallbackEvent, **_: Any) -> str:
        heard.append((click, event))
        return answer

    with only_listener(card_clicked, listener):
        yield heard


def received(document: str) -> CallbackEvent:
    assert deliver(document).status_code == 200
    return CallbackEvent.objects.get()


def test_a_delivered_click_is_announced_once_and_its_outcome_kept(config: WeComConfig) -> None:
    row = received(click_xml())
    assert (row.subject, row.from_user) == (TASK, "wang.boss")
    with listening("applied") as heard:
        assert inbox.process_due() == 1
        deliver(click_xml())
        assert inbox.process_due() == 0
    ((click, event),) = heard
    assert (click.task_id, click.key, click.config_id, click.at) == (TASK, "agree", config.pk, AT)
    assert event == row
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("succeeded", "applied")


def test_a_second_press_is_an_event_of_its_own(config: WeComConfig) -> None:
    deliver(click_xml())
    deliver(click_xml(code="code-of-the-second-click"))
    with listening("applied") as heard:
        inbox.process_due()
    assert [click.response_code for click, _event in heard] == [CODE, "code-of-the-second-click"]


def test_the_task_id_is_the_subject_in_any_case_of_its_tag(config: WeComConfig) -> None:
    assert received(click_xml().replace("TaskId>", "taskid>")).subject == TASK


def silence() -> Any:
    return only_listener(card_clicked, None)


@pytest.mark.parametrize("heard", [silence, lambda: listening("")], ids=["nobody listens", "nobody's card"])
def test_a_click_on_a_card_that_nobody_owns_is_ignored(config: WeComConfig, heard: Callable[[], Any]) -> None:
    row = received(click_xml())
    with heard():
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("succeeded", "ignored")


def test_a_click_without_task_id_is_dead_at_once_and_says_why(config: WeComConfig) -> None:
    row = received(click_xml(task=""))
    with listening("applied") as heard:
        inbox.process_due()
    row.refresh_from_db()
    assert (row.status, row.attempts, heard) == ("dead", 1, [])
    assert "TaskId" in row.last_error
