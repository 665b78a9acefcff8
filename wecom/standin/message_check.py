"""What a message may contain (doc 90236): limits that WeCom enforces by cutting or by refusing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from wecom.standin.card_check import check_new_card
from wecom.standin.errors import ApiError

TEXT_BYTES = 2048
TITLE_CHARACTERS, DESCRIPTION_CHARACTERS = 128, 512


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
    check_new_card(content, callback_url)
    return content


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
