"""What a template card must hold (docs 90236, 94888), and what can be pressed on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from wecom.standin.errors import ApiError

INTERACTIVE_CARDS = {"button_interaction", "vote_interaction", "multiple_interaction"}
NOTICE_CARDS = {"text_notice", "news_notice"}
MOST_BUTTONS, MOST_LINES, MOST_JUMPS, MOST_ENTRIES = 6, 6, 3, 3
KEY_BYTES = 1024
TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
LINK = 1
"""``type`` of a button, a row, a quote area, a jump or the card's own action that leads to an address."""


def calls_back(card: Mapping[str, Any]) -> bool:
    """Whether a press on this card comes back, so that it has a code and can be changed."""
    return card.get("card_type") in INTERACTIVE_CARDS or bool(card.get("action_menu"))


def check_new_card(card: Mapping[str, Any], callback_url: str) -> None:
    """A card that is to be sent. Raises ApiError."""
    check_card(card)
    task_id = card.get("task_id") or ""
    if (task_id or calls_back(card)) and not (isinstance(task_id, str) and TASK_ID.fullmatch(task_id)):
        raise ApiError(42014, "task_id is missing or holds other characters than 0-9 A-Z a-z _ - @")
    if calls_back(card) and not callback_url:
        raise ApiError(43012, "the app has no callback URL")


def check_card(card: Mapping[str, Any]) -> None:
    """A card that is to be shown, new or instead of another. Raises ApiError."""
    kind = card.get("card_type")
    if kind not in INTERACTIVE_CARDS | NOTICE_CARDS:
        raise ApiError(42031, "invalid card_type")
    if not _part(card, "main_title").get("title") and not (kind in NOTICE_CARDS and card.get("sub_title_text")):
        raise ApiError(42033, "main_title.title is missing")
    _check_rows(_parts(card, "horizontal_content_list"))
    _check_links(card)
    if kind in NOTICE_CARDS and _part(card, "card_action").get("type") not in (1, 2):
        raise ApiError(42045, "card_action.type must be 1 or 2")
    if kind == "button_interaction":
        _check_buttons(_parts(card, "button_list"))
    if card.get("action_menu"):
        _check_menu(_parts(_part(card, "action_menu"), "action_list"))


def buttons_of(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The buttons as long as they work: ``replace_text`` shows one dead grey button in their place."""
    works = card.get("card_type") == "button_interaction" and not card.get("replace_text")
    return _parts(card, "button_list") if works else []


def menu_of(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _parts(_part(card, "action_menu"), "action_list")


def _check_rows(rows: list[dict[str, Any]]) -> None:
    if len(rows) > MOST_LINES:
        raise ApiError(42035, "horizontal_content_list is too long")
    for row in rows:
        if not row.get("keyname"):
            raise ApiError(42027, "horizontal_content_list.keyname is missing")
        if row.get("type") == LINK and not _is_address(row.get("url")):
            raise ApiError(42028, "horizontal_content_list.url is missing or has no scheme")
        if row.get("type") == 3 and not row.get("userid"):
            raise ApiError(42050, "horizontal_content_list.userid is missing")


def _check_links(card: Mapping[str, Any]) -> None:
    jumps = _parts(card, "jump_list")
    if len(jumps) > MOST_JUMPS:
        raise ApiError(42042, "jump_list is too long")
    for part in (*jumps, _part(card, "quote_area"), _part(card, "card_action")):
        if part.get("type") == LINK and not _is_address(part.get("url")):
            raise ApiError(42028, "url is missing or has no scheme")


def _check_buttons(buttons: list[dict[str, Any]]) -> None:
    if not 1 <= len(buttons) <= MOST_BUTTONS or not all(button.get("text") for button in buttons):
        raise ApiError(42038, f"button_list needs 1 to {MOST_BUTTONS} buttons with a text")
    if not _are_keys(button.get("key") for button in buttons if button.get("type", 0) == 0):
        raise ApiError(42039, "a button key is missing, too long or used twice")
    if not all(_is_address(button.get("url")) for button in buttons if button.get("type", 0) == LINK):
        raise ApiError(42028, "a button's url is missing or has no scheme")


def _check_menu(entries: list[dict[str, Any]]) -> None:
    if not 1 <= len(entries) <= MOST_ENTRIES or not _are_keys(entry.get("key") for entry in entries):
        raise ApiError(42051, f"action_menu needs 1 to {MOST_ENTRIES} entries, each with a key of its own")


def _are_keys(values: Iterable[Any]) -> bool:
    keys = list(values)
    fit = all(isinstance(key, str) and 0 < len(key.encode()) <= KEY_BYTES for key in keys)
    return fit and len(set(keys)) == len(keys)


def _is_address(url: Any) -> bool:
    return isinstance(url, str) and urlsplit(url).scheme in ("http", "https")


def _part(card: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = card.get(name)
    return value if isinstance(value, dict) else {}


def _parts(card: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = card.get(name)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
