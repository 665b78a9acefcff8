"""Texts as the phone shows them (cards: ``card_view``): the little markup WeCom knows, and nothing else (doc 90236)."""

from __future__ import annotations

import re
from typing import Any

from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe

_ADDRESS = r"https?://[^&\s]*(?:&amp;[^&\s]*)*"
_BARE = r"https?://[!-%'-~]+(?:&amp;[!-%'-~]*)*"
_LINK = re.compile(rf"&lt;a href=&quot;(?P<there>{_ADDRESS})&quot;&gt;(?P<text>.*?)&lt;/a&gt;|(?P<bare>{_BARE})")
"""In a text: as an element, or an address that stands there as it is, which the phone makes a link of."""
_MARKDOWN_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"`([^`]+)`")
_COLOUR = re.compile(r"&lt;font color=&quot;(info|comment|warning)&quot;&gt;(.*?)&lt;/font&gt;")
_HEADING = re.compile(r"#{1,6} +(.*)")


def message_html(kind: str, content: dict[str, Any]) -> SafeString:
    """A text, markdown or textcard. Everything is escaped first; only the known marks become elements again."""
    if kind == "text":
        return _safe(_LINK.sub(_anchor, escape(content["content"])).replace("\n", "<br>"))
    if kind == "markdown":
        return _safe("".join(_markdown_line(line) for line in content["content"].split("\n")))
    description = escape(strip_tags(re.sub(r"<br ?/?>|</div>", "\n", content["description"])))
    return _safe(
        f"<strong>{escape(content['title'])}</strong><p>{description.strip().replace(chr(10), '<br>')}</p>"
        f'<a class="open" href="{escape(content["url"])}">{escape(content["btntxt"])} ›</a>'
    )


def _anchor(link: re.Match[str]) -> str:
    address = link["there"] or link["bare"]
    return f'<a href="{address}">{link["text"] or address}</a>'


def _markdown_line(line: str) -> str:
    text = str(escape(line))
    text = _COLOUR.sub(r'<span class="\1">\2</span>', text)
    text = _MARKDOWN_LINK.sub(r'<a href="\2">\1</a>', text)
    text = _CODE.sub(r"<code>\1</code>", _BOLD.sub(r"<b>\1</b>", text))
    if heading := _HEADING.fullmatch(text):
        return f"<h4>{heading[1]}</h4>"
    if text.startswith("&gt;"):
        return f"<blockquote>{text[4:].strip()}</blockquote>"
    return f"<div>{text or '&nbsp;'}</div>"


def _safe(html: str) -> SafeString:
    return mark_safe(html)  # noqa: S308 - built from escaped text above
