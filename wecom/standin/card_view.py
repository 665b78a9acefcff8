"""A template card as the phone draws it (docs 90236, 94888). Pictures, file rows, votes and lists are left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wecom.standin.card_check import LINK, buttons_of, menu_of
from wecom.standin.company import display_name

SOURCE_COLOURS = ("grey", "black", "red", "green")
BUTTON_STYLES = ("primary", "secondary", "danger", "plain")


def card_view(card: Mapping[str, Any]) -> dict[str, Any]:
    """``card``: what the phone shows now. Addresses are empty where nothing leads anywhere."""
    source, title, emphasis, quote = (
        card.get(name) or {} for name in ("source", "main_title", "emphasis_content", "quote_area")
    )
    return {
        "source": source.get("desc", ""),
        "source_colour": _choice(SOURCE_COLOURS, source.get("desc_color", 0)),
        "title": title.get("title", ""),
        "desc": title.get("desc", ""),
        "emphasis": emphasis.get("title", ""),
        "emphasis_desc": emphasis.get("desc", ""),
        "quote_title": quote.get("title", ""),
        "quote_text": quote.get("quote_text", ""),
        "quote_url": _address(quote),
        "sub_title": card.get("sub_title_text", ""),
        "rows": [_row(row) for row in card.get("horizontal_content_list") or []],
        "jumps": [{"text": jump.get("title", ""), "url": _address(jump)} for jump in card.get("jump_list") or []],
        "url": _address(card.get("card_action") or {}),
        "buttons": [_button(button) for button in buttons_of(card)],
        "replaced": card.get("replace_text", ""),
        "menu": [{"text": entry.get("text", ""), "key": entry["key"]} for entry in menu_of(card)],
    }


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    member = row.get("userid", "") if row.get("type") == 3 else ""
    value = row.get("value") or (display_name(member) if member else "")
    return {"name": row.get("keyname", ""), "value": value, "url": _address(row)}


def _button(button: Mapping[str, Any]) -> dict[str, str]:
    return {
        "text": button["text"],
        "key": button.get("key", ""),
        "url": _address(button),
        "style": _choice(BUTTON_STYLES, button.get("style", 1) - 1),
    }


def _address(part: Mapping[str, Any]) -> str:
    return str(part.get("url") or "") if part.get("type") == LINK else ""


def _choice(names: tuple[str, ...], place: Any) -> str:
    """A number that WeCom does not know counts as the first."""
    return names[place] if place in range(len(names)) else names[0]
