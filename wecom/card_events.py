"""Somebody pressed a button on a card, or an entry of its menu (doc 90240). Django-free, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wecom.crypto import gettext_noop
from wecom.reading import BadDocument, folded, listed, node_of, nodes_of, text_of

CARD_EVENTS = ("template_card_event", "template_card_menu_event")


class BadClick(BadDocument):
    """The event does not say who pressed on which card, or brings no code to change it."""


@dataclass(frozen=True, slots=True)
class CardClick:
    """What a client of ``userid`` sent. It proves nothing else: whoever acts on it asks whether this person may."""

    userid: str
    task_id: str
    """Which card: as it was given when the card was sent."""
    key: str
    """Of the button or the menu entry."""
    response_code: str
    """New with each click; changes the card once, within 72 hours."""
    card_type: str
    """``button_interaction``, …"""
    config_id: int
    """Of the app (WeComConfig) whose card it is."""
    at: datetime
    selected: Mapping[str, tuple[str, ...]]
    """What was chosen in the card's lists: question key to option IDs."""


def from_event(doc: Mapping[str, Any], *, config_id: int, at: datetime) -> CardClick:
    """``doc``: the parsed event, its tags in any case; ``at``: its CreateTime. Raises BadClick."""
    event = folded(doc)
    userid, task_id, code = (text_of(event, name) for name in ("fromusername", "taskid", "responsecode"))
    if not userid:
        raise BadClick(gettext_noop("The event does not say who pressed the button."))
    if not task_id:
        raise BadClick(gettext_noop("The event does not say on which card the button was pressed (TaskId)."))
    if not code:
        raise BadClick(gettext_noop("The event brings no code with which the card could be changed (ResponseCode)."))
    return CardClick(
        userid=userid,
        task_id=task_id,
        key=text_of(event, "eventkey"),
        response_code=code,
        card_type=text_of(event, "cardtype"),
        config_id=config_id,
        at=at,
        selected=_selected(event),
    )


def _selected(event: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """``SelectedItems/SelectedItem*`` with ``QuestionKey`` and ``OptionIds/OptionId*``."""
    return {
        text_of(item, "questionkey"): tuple(
            option.strip() for option in listed(node_of(item, "optionids").get("optionid")) if isinstance(option, str)
        )
        for item in nodes_of(node_of(event, "selecteditems"), "selecteditem")
    }
