"""What a message may contain (docs 90236, 94888): limits that WeCom enforces by cutting or by refusing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from wecom.standin.errors import ApiError

TEXT_BYTES = 2048
TITLE_CHARACTERS, DESCRIPTION_CHARACTERS = 128, 512
INTERACTIVE_CARDS = {"button_interaction", "vote_interaction", "multiple_interaction"}
NOTICE_CARDS = {"text_notice", "news_notice"}
MOST_BUTTONS, MOST_LINES, MOST_JUMPS = 6, 6, 3


def check_content(body: dict[str, Any], *, callback_url: str) -> dict[str, Any]:
    """The message's own object as the phone will show it, cut where WeCom cuts. Raises ApiError."""
    kind = body.get("msgtype")
    content = body.get(kind) if isinstance(kind, str) else None
    if kind not in ("text", "markdown", "textcard", "template_card"):
        raise ApiError(40008, "invalid msgtype")
    if not isinstance(content, dict):
        raise ApiError(40063, f"{kind} is missing")
    if kind in ("text", "markdown"):
        return {"content": _text(content)}
    if kind == "textcard":
        return _textcard(content)
    _check_card(content, callback_url)
    return content


def wants_response_code(kind: str, content: dict[str, Any]) -> bool:
    """Whether a click on this card comes back, so that it can be updated."""
    if kind != "template_card":
        return False
    return content.get("card_type") in INTERACTIVE_CARDS or bool(content.get("action_menu"))


def _text(content: dict[str, Any]) -> str:
    text = content.get("content")
    if not isinstance(text, str) or not text:
        raise ApiError(44004, "text content is empty")
    return text.encode()[:TEXT_BYTES].decode(errors="ignore")


def _textcard(content: dict[str, Any]) -> dict[str, Any]:
    title, description, url = (str(content.get(name) or "") for name in ("title", "description", "url"))
    if not title or not description:
        raise ApiError(44004, "textcard title or description is empty")
    if urlsplit(url).scheme not in ("http", "https"):
        raise ApiError(45034, "url without scheme")
    return {
        "title": title[:TITLE_CHARACTERS],
        "description": description[:DESCRIPTION_CHARACTERS],
        "url": url,
        "btntxt": str(content.get("btntxt") or "详情")[:4],
    }


def _check_card(card: dict[str, Any], callback_url: str) -> None:
    kind = card.get("card_type")
    if kind not in INTERACTIVE_CARDS | NOTICE_CARDS:
        raise ApiError(42031, "invalid card_type")
    if wants_response_code("template_card", card):
        if not card.get("task_id"):
            raise ApiError(42014, "task_id is required")
        if not callback_url:
            raise ApiError(43012, "the app has no callback URL")
    if not (card.get("main_title") or {}).get("title") and not (kind in NOTICE_CARDS and card.get("sub_title_text")):
        raise ApiError(42033, "main_title.title is missing")
    if len(card.get("horizontal_content_list") or []) > MOST_LINES:
        raise ApiError(42035, "horizontal_content_list is too long")
    if len(card.get("jump_list") or []) > MOST_JUMPS:
        raise ApiError(42042, "jump_list is too long")
    if kind in NOTICE_CARDS and (card.get("card_action") or {}).get("type") not in (1, 2):
        raise ApiError(42045, "card_action.type must be 1 or 2")
    if kind == "button_interaction":
        _check_buttons(card.get("button_list") or [])


def _check_buttons(buttons: list[dict[str, Any]]) -> None:
    if not 1 <= len(buttons) <= MOST_BUTTONS or not all(button.get("text") for button in buttons):
        raise ApiError(42038, f"button_list needs 1 to {MOST_BUTTONS} buttons with a text")
    keys = [button.get("key") for button in buttons if button.get("type", 0) == 0]
    if not all(keys) or len(set(keys)) != len(keys):
        raise ApiError(42039, "a button key is missing or used twice")
